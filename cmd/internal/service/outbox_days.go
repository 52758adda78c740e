package service

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"allocation/outbox/pulse"
	"allocation/store"
)

// The outbox needs a new table each day and has some in store, so it is enough to make and drop
// them now and then. A table that is missing is seen sooner, and made at once where a transaction
// needs it. Workers look at different times.
const (
	lookEvery     = 15 * time.Second
	maintainEvery = time.Hour
	repairEvery   = 3 * time.Second
	complainEvery = time.Minute
)

// outboxDays keeps the outbox' days. It makes those to come, drops those that are old, and counts
// them. Beside that, it indexes those that are over.
type outboxDays struct {
	db        *store.Store
	retention time.Duration
	ahead     prometheus.Gauge
	part      *pulse.Part
	logger    *slog.Logger

	next       time.Time // when days are made and dropped as usual
	complained time.Time
}

func (p *Process) newOutboxDays(db *store.Store) *outboxDays {
	return &outboxDays{db: db, retention: p.settings.Tuning.OutboxRetention, ahead: p.metrics.ahead, part: p.metrics.days, logger: p.logger}
}

// run keeps them until the context ends.
func (d *outboxDays) run(ctx context.Context) {
	d.part.Begin()
	d.keep(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.db.LacksDay():
			d.make(ctx)
			_, _ = d.look(ctx)
			sleep(ctx, repairEvery) // it may not help
		case <-time.After(spread(lookEvery)):
			ahead, err := d.look(ctx)
			if err == nil && ahead < 1 || time.Now().After(d.next) {
				d.keep(ctx)
			}
		}
	}
}

func (d *outboxDays) keep(ctx context.Context) {
	d.next = time.Now().Add(spread(maintainEvery))
	d.make(ctx)
	_, _ = d.look(ctx) // make's error says the same
	d.drop(ctx)
	d.dropRequests(ctx)
}

func (d *outboxDays) make(ctx context.Context) {
	err := d.db.MakeDays(ctx)
	if err == nil || ctx.Err() != nil {
		return
	}
	d.next = time.Now().Add(spread(time.Minute))
	if time.Since(d.complained) > complainEvery {
		d.complained = time.Now()
		d.logger.Error("the outbox' days to come could not be made, retrying", "error", err)
	}
}

func (d *outboxDays) drop(ctx context.Context) {
	dropped, err := d.db.DropDays(ctx, d.retention)
	for _, name := range dropped {
		d.logger.Info("dropped a day of the outbox", "table", name)
	}
	if err != nil && ctx.Err() == nil {
		d.logger.Warn("an old day of the outbox could not be dropped; trying again later", "error", err)
	}
}

// dropRequests forgets what became of commands that nobody sends again any more.
func (d *outboxDays) dropRequests(ctx context.Context) {
	if _, err := d.db.DropRequests(ctx); err != nil && ctx.Err() == nil {
		d.logger.Warn("old requests could not be dropped; trying again later", "error", err)
	}
}

// runIndexes indexes days that are over until the context ends. A large day takes minutes.
func (d *outboxDays) runIndexes(ctx context.Context) {
	for ctx.Err() == nil {
		d.index(ctx)
		sleep(ctx, spread(maintainEvery))
	}
}

func (d *outboxDays) index(ctx context.Context) {
	indexed, err := d.db.IndexDays(ctx)
	for _, name := range indexed {
		d.logger.Info("indexed a day of the outbox", "table", name)
	}
	if err != nil && ctx.Err() == nil {
		d.logger.Warn("a day of the outbox could not be indexed; trying again later", "error", err)
	}
}

// look counts the days. Where Postgres does not answer for long, the metric is not shown.
func (d *outboxDays) look(ctx context.Context) (ahead int, err error) {
	if ahead, err = d.db.OutboxDaysAhead(ctx); err == nil {
		d.ahead.Set(float64(ahead))
	}
	d.part.Ill(err)
	return ahead, err
}

// spread is a time around the one that is given, so that workers do not all come at once.
func spread(d time.Duration) time.Duration { return d/2 + rand.N(d) }

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
