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
	levels := map[kfake.LogLevel]slog.Level{kfake.LogLevelError: slog.LevelError, kfake.LogLevelWarn: slog.LevelWarn}
	if to, ok := levels[level]; ok && l.to != nil {
		l.to.Log(context.Background(), to, "kafka: "+fmt.Sprintf(format, arguments...))
	}
}
