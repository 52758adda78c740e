package store

import (
	"context"
	"time"
)

// daysAhead is how many days of the outbox exist before they are needed: as long a holiday as the maintenance may take.
const daysAhead = 14

// Maintain makes the outbox' coming days, and drops those older than the retention whose rows are all published. It returns the names of
// the tables that it dropped. Any worker may call it at any time; one works, the others wait for it.
func (s *Store) Maintain(ctx context.Context, retention time.Duration) (dropped []string, err error) {
	if _, err := s.pool.Exec(ctx, `select outbox_make_days($1)`, daysAhead); err != nil {
		return nil, readError("make outbox days", err)
	}
	oldest := time.Now().UTC().Add(-retention).Format(time.DateOnly)
	for {
		var name *string
		if err := s.pool.QueryRow(ctx, `select outbox_drop_day($1::text::date)`, oldest).Scan(&name); err != nil {
			return dropped, readError("drop outbox days", err)
		}
		if name == nil {
			return dropped, nil
		}
		dropped = append(dropped, *name)
	}
}
