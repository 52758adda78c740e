package cli

import (
	"context"
	"log/slog"
	"strings"

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

// sessionEnded is how a warning of the client begins that harms nothing. A commit of offsets was
// answered after its partitions had been taken from this member. Such a commit is only a report:
// positions are in the database.
const sessionEnded = "received an OffsetCommitResponse after our group session has ended"

func (w warnings) Handle(ctx context.Context, record slog.Record) error {
	if strings.HasPrefix(record.Message, sessionEnded) {
		return nil
	}
	return w.Handler.Handle(ctx, record)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs), w.when}
}

func (w warnings) WithGroup(name string) slog.Handler {
	return warnings{w.Handler.WithGroup(name), w.when}
}
