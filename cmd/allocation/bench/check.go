package bench

import (
	"context"
	"fmt"
	"time"

	"allocation/cmd/internal/cli"
)

// check returns an error where a command did not have its effect, although all events came: events,
// positions, lines and dead letters must agree.
func (r *run) check(ctx context.Context) error {
	if err := r.book.missing(); err != nil {
		return err
	}
	var lines Lines
	var letters int64
	err := r.db.QueryRowContext(ctx, `
select count(*) filter (where state = 'allocated'), count(*) filter (where state = 'waiting'), count(*) filter (where state = 'dispatched'),
    count(*) filter (where state = 'cancelled'), (select count(*) from dead_letters) from lines`).
		Scan(&lines.Allocated, &lines.Waiting, &lines.Dispatched, &lines.Cancelled, &letters)
	switch {
	case err != nil:
		return fmt.Errorf("count lines: %w", err)
	case letters > 0:
		return fmt.Errorf("%d commands were refused: see allocation dlq list", letters)
	case lines != r.book.lines:
		return fmt.Errorf("the table lines has %+v, and must have %+v", lines, r.book.lines)
	}
	return nil
}

// awaitApplied returns when every command was applied, those without an event, too, and all events
// are published.
func (r *run) awaitApplied(ctx context.Context) error {
	bounds, err := cli.TopicBounds(ctx, r.admin, r.commands)
	if err != nil {
		return err
	}
	var end int64
	for _, b := range bounds {
		end += b.End
	}
	most, moved := int64(-1), time.Now()
	return cli.Until(ctx, func(ctx context.Context) (bool, error) {
		var applied, unpublished int64
		err := r.db.QueryRowContext(ctx, `select coalesce(sum(next_offset), 0)::bigint, coalesce(sum(next_row - published_row), 0)::bigint
			from positions where topic = $1 and retired_at is null`, r.commands).Scan(&applied, &unpublished)
		if err != nil {
			return false, fmt.Errorf("read positions: %w", err)
		}
		if done := applied - unpublished; done > most {
			most, moved = done, time.Now()
		}
		if time.Since(moved) > patience {
			return false, fmt.Errorf("%d commands are not applied and %d events are not published, and nothing changed for %s", end-applied, unpublished, patience)
		}
		r.line.Show("commands applied", applied)
		return applied == end && unpublished == 0, nil
	})
}
