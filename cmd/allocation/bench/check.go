package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// check returns an error where a command did not have its effect, although all events came: events,
// positions, lines and dead letters must agree.
func (r *run) check(ctx context.Context, admin *kadm.Client) error {
	if err := r.book.missing(); err != nil {
		return err
	}
	if err := r.awaitApplied(ctx, admin); err != nil {
		return err
	}
	lines, letters, err := r.count(ctx)
	if err != nil {
		return fmt.Errorf("count lines: %w", causeOf(ctx, err))
	}
	if letters > 0 {
		return fmt.Errorf("%d commands were refused: see allocation dlq list", letters)
	}
	if expected := r.stock.lines().plus(r.workload.lines()); lines != expected {
		return fmt.Errorf("the table lines has %+v, and must have %+v", lines, expected)
	}
	return nil
}

// awaitApplied returns when every command was applied, those without an event, too.
func (r *run) awaitApplied(ctx context.Context, admin *kadm.Client) error {
	ends, err := admin.ListEndOffsets(ctx, r.site.Commands)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("list offsets of %s: %w", r.site.Commands, err)
	}
	var end int64
	ends.Each(func(o kadm.ListedOffset) { end += o.Offset })
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; {
		var applied int64
		err := r.site.DB.QueryRow(ctx, `select coalesce(sum(next_offset), 0)::bigint from positions where topic = $1 and retired_at is null`, r.site.Commands).Scan(&applied)
		switch {
		case err != nil:
			return fmt.Errorf("read positions: %w", causeOf(ctx, err))
		case applied == end:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("%d commands are not applied after %s", end-applied, patience)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// count counts lines by state, and dead letters.
func (r *run) count(ctx context.Context) (l Lines, letters int64, err error) {
	err = r.site.DB.QueryRow(ctx, `
select count(*) filter (where state = 'allocated'), count(*) filter (where state = 'waiting'), count(*) filter (where state = 'dispatched'),
    count(*) filter (where state = 'cancelled'), (select count(*) from dead_letters) from lines`).
		Scan(&l.Allocated, &l.Waiting, &l.Dispatched, &l.Cancelled, &letters)
	return l, letters, err
}
