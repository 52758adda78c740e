package service

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"allocation/outbox/pulse"
	"allocation/store"
)

// Counting takes as long as there is something to count: 0.1 s for 500,000 lines. So a worker rests
// a hundred times as long, and not so long that it would seem to stand still.
const (
	restPerCount = 100
	maxCountRest = time.Minute
)

// backlogs counts what waits in the database.
type backlogs struct {
	db               *store.Store
	letters, waiting prometheus.Gauge // waiting may be nil
	part             *pulse.Part
	every            time.Duration
}

func (p *Process) newBacklogs(db *store.Store) *backlogs {
	return &backlogs{db: db, letters: p.metrics.letters, waiting: p.metrics.waiting, part: p.metrics.backlogs, every: p.lookEvery}
}

// run counts until the context ends.
func (b *backlogs) run(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		b.part.Ill(b.count(ctx))
		sleep(ctx, spread(b.rest(time.Since(began))))
	}
}

func (b *backlogs) rest(took time.Duration) time.Duration {
	return max(b.every, min(restPerCount*took, maxCountRest))
}

// count leaves the metrics as they were where Postgres does not answer; after a while they are not
// shown.
func (b *backlogs) count(ctx context.Context) error {
	letters, err := b.db.OpenLetters(ctx)
	if err != nil {
		return err
	}
	b.letters.Set(float64(letters.Count))
	if b.waiting == nil {
		return nil
	}
	waiting, err := b.db.Waiting(ctx, math.MaxInt64-1)
	if err == nil {
		b.waiting.Set(float64(waiting.Count))
	}
	return err
}
