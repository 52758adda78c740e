package service

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"allocation/outbox/pulse"
	"allocation/store"
)

// A transaction of somebody else that has been open for so long makes work slower, and is named now
// and then.
const (
	oldAfter   = time.Minute
	nameOldest = 10 * time.Minute
)

// oldTransactions watches for what keeps Postgres from cleaning dead rows.
type oldTransactions struct {
	db     *store.Store
	gauge  prometheus.Gauge
	part   *pulse.Part
	logger *slog.Logger
	every  time.Duration
	after  time.Duration // an age that is worth a warning

	named time.Time
	whom  string
}

func (p *Process) newOldTransactions(db *store.Store) *oldTransactions {
	return &oldTransactions{db: db, gauge: p.metrics.oldest, part: p.metrics.transactions, logger: p.logger, every: p.lookEvery, after: oldAfter}
}

// run watches until the context ends.
func (o *oldTransactions) run(ctx context.Context) {
	for {
		o.look(ctx)
		sleep(ctx, spread(o.every))
		if ctx.Err() != nil {
			return
		}
	}
}

// look leaves the metric as it was where Postgres does not answer; after a while it is not shown.
func (o *oldTransactions) look(ctx context.Context) {
	oldest, err := o.db.OldestTransaction(ctx)
	o.part.Ill(err)
	if err != nil {
		return
	}
	o.gauge.Set(oldest.Age.Seconds())
	if oldest.Age < o.after || o.whom == oldest.Holder && time.Since(o.named) < nameOldest {
		return
	}
	o.named, o.whom = time.Now(), oldest.Holder
	o.logger.Warn("a transaction that is open for long keeps Postgres from cleaning dead rows; work gets slower until it ends",
		"holder", oldest.Holder, "age", oldest.Age.Round(time.Second))
}
