package cli

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kslog"
)

// QuietLogger lets the Kafka client warn, and not tell what it does.
func QuietLogger(handler slog.Handler) kgo.Logger {
	return kslog.New(slog.New(warnings{handler}).With("part", "kafka client"))
}

// warnings passes on what is worth a warning.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// onceSo passes nothing on until something is so.
type onceSo struct {
	slog.Handler
	so *atomic.Bool
}

func (o onceSo) Enabled(ctx context.Context, level slog.Level) bool {
	return o.so.Load() && o.Handler.Enabled(ctx, level)
}
func (o onceSo) WithAttrs(attrs []slog.Attr) slog.Handler {
	return onceSo{o.Handler.WithAttrs(attrs), o.so}
}
func (o onceSo) WithGroup(name string) slog.Handler { return onceSo{o.Handler.WithGroup(name), o.so} }
