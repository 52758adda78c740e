package main

import (
	"context"
	"math/rand/v2"
	"time"

	"allocation/store"
)

// The outbox needs a new table each day and has some in store, so it is enough to look now and then. Workers look at different times.
const (
	maintainEvery = time.Hour
	maintainAgain = time.Minute // after an error
)

// maintain keeps the outbox' days, until the context ends.
func (w *wiring) maintain(ctx context.Context, db *store.Store) {
	for {
		wait := maintainEvery/2 + rand.N(maintainEvery)
		if err := w.maintainOnce(ctx, db); err != nil && ctx.Err() == nil {
			w.logger.Error("outbox maintenance did not succeed; trying on", "error", err)
			wait = maintainAgain
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (w *wiring) maintainOnce(ctx context.Context, db *store.Store) error {
	dropped, err := db.Maintain(ctx, w.settings.tuning.OutboxRetention)
	for _, name := range dropped {
		w.logger.Info("dropped a day of the outbox", "table", name)
	}
	if err != nil {
		return err
	}
	ahead, err := db.OutboxDaysAhead(ctx)
	if err == nil {
		w.metrics.ahead.Set(float64(ahead))
	}
	return err
}
