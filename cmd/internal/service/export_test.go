package service

import (
	"context"
	"log/slog"
	"time"

	"allocation/cmd/internal/sender"
	"allocation/store"
	"allocation/worker"
)

// DueAgain is the shortest time after which what is still due is sent again, and DueRound how often
// all that is due is looked at.
const (
	DueAgain = dueAgain
	DueRound = dueRound
)

// DueCommands sends what is due to the partitions that it has.
type DueCommands struct{ of *dueCommands }

// NewDueCommands makes one that sends commands of a type.
func NewDueCommands(db *store.Store, to *sender.Sender, kind string, has func(worker.TopicPartition) bool) *DueCommands {
	return &DueCommands{&dueCommands{sent: map[string]*sentDue{}, db: db, sender: to, logger: slog.Default(), has: has, kind: kind, source: "/test"}}
}

// Send sends what is due at a time, and reports whether there may be more.
func (d *DueCommands) Send(ctx context.Context, now time.Time) (more bool, err error) {
	return d.of.send(ctx, now)
}
