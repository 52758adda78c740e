package local

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kfake"
)

// kafkaLogger passes on what an operator would act on. kfake logs every request at its lower
// levels.
type kafkaLogger struct{ to *slog.Logger }

func (l kafkaLogger) Logf(level kfake.LogLevel, format string, arguments ...any) {
	if l.to == nil {
		return
	}
	switch level {
	case kfake.LogLevelError:
		l.to.Log(context.Background(), slog.LevelError, "kafka: "+fmt.Sprintf(format, arguments...))
	case kfake.LogLevelWarn:
		l.to.Log(context.Background(), slog.LevelWarn, "kafka: "+fmt.Sprintf(format, arguments...))
	}
}
