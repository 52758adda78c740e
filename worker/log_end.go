package worker

import (
	"fmt"
	"time"
)

// logEnd is where a partition's log ends, and since when its last stable offset has stood before
// that: what is between waits for a transaction of a producer, and nobody can have it.
type logEnd struct {
	stable int64     // the last stable offset that is known
	end    int64     // of the log
	stands time.Time // since when stable has stood below end; zero: it does not
	told   bool      // the log has it
}

// see takes down what a broker tells.
func (e *logEnd) see(stable, end int64, now time.Time) {
	switch {
	case stable >= end:
		e.stands = time.Time{}
	case e.stands.IsZero() || stable != e.stable:
		e.stands, e.told = now, false
	}
	e.stable, e.end = stable, max(stable, end)
}

// standing is for how long the last stable offset has stood.
func (e *logEnd) standing(now time.Time) time.Duration {
	if e.stands.IsZero() {
		return 0
	}
	return now.Sub(e.stands)
}

// waitsForTransaction says what waits where that lasts; empty where it does not.
func (p *partition) waitsForTransaction(patience time.Duration, now time.Time) string {
	if p.standing(now) < patience {
		return ""
	}
	return fmt.Sprintf("%d records from offset %d on wait for a producer's transaction, which has been open for %s: kafka-transactions describe-producers tells whose",
		p.end-p.stable, p.stable, since(p.standing(now)))
}

// setLag shows how much of a partition's log is not published, and what keeps its end back; nothing
// where nobody knows: an old figure would look like one of today's. The caller holds mu.
func (w *Worker) setLag(p *partition) {
	if p.state == closed {
		return
	}
	now := time.Now()
	if p.silence != nil || p.unmeasured(now, w.cfg.StallTimeout) {
		w.hideLag(p)
		return
	}
	w.metrics.Stands.WithLabelValues(p.labels()...).Set(p.standing(now).Seconds())
	if p.published >= 0 {
		w.metrics.Lag.WithLabelValues(p.labels()...).Set(float64(max(0, p.end-p.published)))
	}
	if why := p.waitsForTransaction(w.cfg.StallTimeout, now); why != "" && !p.told {
		p.told = true
		w.logger.Warn("commands wait for a producer's transaction", "topic", p.topic, "partition", p.number, "stable", p.stable, "end", p.end,
			"open_for", p.standing(now))
	}
}

func (w *Worker) hideLag(p *partition) {
	w.metrics.Lag.DeleteLabelValues(p.labels()...)
	w.metrics.Stands.DeleteLabelValues(p.labels()...)
}
