package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/outbox/pulse"
	"allocation/store"
)

// rights knows what Postgres does not let this worker do, and tells it in the notes of readiness,
// log and metric. The worker waits all the same: who took a right away may give it back.
type rights struct {
	counter *prometheus.CounterVec
	logger  *slog.Logger
	denied  chan struct{} // has room for one: Postgres has denied something
	part    *pulse.Part
	every   time.Duration // how often to look, at most, while something is denied or missing

	mu   sync.Mutex
	says string // empty: nothing is missing
}

func newRights(counter *prometheus.CounterVec, logger *slog.Logger) *rights {
	return &rights{counter: counter, logger: logger, denied: make(chan struct{}, 1), every: 5 * time.Second}
}

// suspect says that Postgres denied something. It does not block.
func (r *rights) suspect() {
	select {
	case r.denied <- struct{}{}:
	default:
	}
}

// watch looks which rights are missing when something was denied, and from then on until none is.
// It returns when the context ends.
func (r *rights) watch(ctx context.Context, check func(context.Context) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.denied:
		}
		r.part.Begin()
		for missing := true; missing; {
			attempt, cancel := context.WithTimeout(ctx, cli.AnswerTime)
			missing = r.note(check(attempt))
			r.part.Well()
			cancel()
			select {
			case <-ctx.Done():
				return
			case <-time.After(r.every):
			}
		}
		r.part.Rest()
	}
}

// note takes down the outcome of a look, and reports whether something is missing. A look that did
// not succeed says nothing about rights.
func (r *rights) note(err error) (missing bool) {
	var e *store.RightsError
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && !errors.As(err, &e) {
		return r.says != ""
	}
	says := ""
	if e != nil {
		says = e.Error()
		r.counter.WithLabelValues(systemPostgres, config.RefusedRight).Inc()
	}
	switch says {
	case r.says:
	case "":
		r.logger.Info("rights granted again", "system", systemPostgres)
	default:
		r.logger.Error("a right is missing, retrying", "system", systemPostgres, "error", says)
	}
	r.says = says
	return says != ""
}

func (r *rights) notes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.says == "" {
		return nil
	}
	return []string{systemPostgres + ": " + r.says}
}
