package cli

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kslog"
)

// QuietLogger lets the Kafka client warn, and not tell what it does.
func QuietLogger(handler slog.Handler) kgo.Logger {
	return quietLogger(handler, func() bool { return true })
}

func quietLogger(handler slog.Handler, when func() bool) kgo.Logger {
	return kslog.New(slog.New(warnings{handler, when}).With("part", "kafka client"))
}

// warnings passes on what is worth a warning, while that is wanted.
type warnings struct {
	slog.Handler
	when func() bool
}

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.when() && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs), w.when}
}

func (w warnings) WithGroup(name string) slog.Handler {
	return warnings{w.Handler.WithGroup(name), w.when}
}
