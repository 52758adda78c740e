package offsets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

type resetCommand struct {
	decision
	ToEarliest bool   `xor:"to" required:"" help:"To the start of the log."`
	ToLatest   bool   `xor:"to" required:"" help:"To the last stable offset: everything before is skipped."`
	ToOffset   *int64 `xor:"to" required:"" placeholder:"OFFSET" help:"To this offset."`
	ToDatetime string `xor:"to" required:"" placeholder:"TIME" help:"To the first record not older than this time, such as 2026-11-23T08:00:00Z."`
}

func (resetCommand) Help() string {
	return `Sets the positions of a topic, or of what is in quarantine, to another offset. It prints which commands would be skipped or applied again,
and does it with --execute. Workers need not be stopped: the owner is fenced, claims again, and goes on from there.

Commands that are applied again have no effect where they had theirs, with exceptions. ${again}
Commands that were refused are judged anew, also those whose dead letters were discarded. Events of commands that are applied again have
ce_ids of their own.

The database's user needs the role ${program}_operator: a worker's may not decide this.

Example:

    ${program} offsets reset --topic ${topic} --partition 3 --to-datetime 2026-11-23T08:00:00Z --execute`
}

// Run says what the reset means, or does it.
func (c *resetCommand) Run(ctx context.Context, p *cli.Program) error {
	since, err := c.since()
	if err != nil {
		return err
	}
	return c.decide(ctx, p, "reset", true, func(v *view, position store.PositionView) (*int64, error) {
		to, err := c.target(ctx, v, position, since)
		return &to, err
	})
}

func (c *resetCommand) since() (time.Time, error) {
	if c.ToDatetime == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, c.ToDatetime)
	if err != nil {
		return t, cli.Misuse("--to-datetime is %q; it must be a date, a time and a zone, such as 2026-11-23T08:00:00Z", c.ToDatetime)
	}
	return t, nil
}

// target is the offset to go on from.
func (c *resetCommand) target(ctx context.Context, v *view, p store.PositionView, since time.Time) (int64, error) {
	log, ok := v.logs[partitionOf(p)]
	if !ok {
		return 0, v.noAnswer(p)
	}
	switch {
	case c.ToEarliest:
		return log.Start, nil
	case c.ToLatest:
		return log.Stable, nil
	case c.ToOffset == nil:
		return v.firstSince(ctx, p, since)
	case *c.ToOffset < log.Start || *c.ToOffset > log.End:
		return 0, cli.Misuse("--to-offset is %d; of topic %s, partition %d, the log goes from %d to %d", *c.ToOffset, p.Topic, p.Partition, log.Start, log.End)
	}
	return *c.ToOffset, nil
}

// firstSince is the offset of the first record not older than a time, or the end of the log.
func (v *view) firstSince(ctx context.Context, p store.PositionView, since time.Time) (int64, error) {
	listed, err := v.admin.ListOffsetsAfterMilli(ctx, since.UnixMilli(), p.Topic)
	o, ok := listed.Lookup(p.Topic, p.Partition) // an error may be of other partitions
	if !ok && err != nil {
		return 0, fmt.Errorf("list offsets by time: %w", err)
	}
	if !ok || o.Err != nil {
		return 0, fmt.Errorf("list offsets by time: topic %s, partition %d: %w", p.Topic, p.Partition, errOf(o))
	}
	return o.Offset, nil
}

var errNoLeader = errors.New("it has no leader that answers, or does not exist")

func errOf(o kadm.ListedOffset) error { return cmp.Or(o.Err, errNoLeader) }
