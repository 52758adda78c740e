package verify

import (
	"context"
	"slices"
	"time"
)

// days are those that the outbox has a table for. Older ones were dropped, and their rows with
// them.
type days []time.Time

const daysSQL = `
select to_date(right(c.relname, 8), 'YYYYMMDD') from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'outbox'::regclass order by 1`

func (v *Verifier) readDays(ctx context.Context) (days, error) {
	return column[time.Time](ctx, v, daysSQL)
}

// holes reports whether a day between the oldest and the newest is missing: it was dropped while an
// older one held unpublished rows. Then rows may be missing in the middle.
func (d days) holes() bool {
	for i := 1; i < len(d); i++ {
		if d[i].Sub(d[i-1]) > 24*time.Hour {
			return true
		}
	}
	return false
}

// dropped reports whether a day is gone that was there before.
func (d days) dropped(before days) bool {
	return slices.ContainsFunc(before, func(day time.Time) bool { return !slices.ContainsFunc(d, day.Equal) })
}
