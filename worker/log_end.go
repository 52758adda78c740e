package worker

import (
	"fmt"
	"time"
)

// logEnd is where a lane's log ends, and since when its last stable offset has stood before that:
// what is between waits for a transaction of a producer, and nobody can have it.
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
func (l *lane) waitsForTransaction(patience time.Duration, now time.Time) string {
	if l.standing(now) < patience {
		return ""
	}
	return fmt.Sprintf("%d records from offset %d on wait for a producer's transaction, which has been open for %s: kafka-transactions describe-producers tells whose",
		l.end-l.stable, l.stable, since(l.standing(now)))
}

// setLag shows how much of a lane's log is not published, and what keeps its end back; nothing
// where nobody knows: an old figure would look like one of today's. The caller holds mu.
func (w *Worker) setLag(l *lane) {
	if l.state == closed {
		return
	}
	now := time.Now()
	if l.silence != nil || l.unmeasured(now, w.cfg.StallTimeout) {
		w.hideLag(l)
		return
	}
	w.metrics.Stands.WithLabelValues(l.labels()...).Set(l.standing(now).Seconds())
	if l.published >= 0 {
		w.metrics.Lag.WithLabelValues(l.labels()...).Set(float64(max(0, l.end-l.published)))
	}
	if why := l.waitsForTransaction(w.cfg.StallTimeout, now); why != "" && !l.told {
		l.told = true
		w.logger.Warn("commands wait for a producer's transaction", "topic", l.topic, "partition", l.partition, "stable", l.stable, "end", l.end,
			"open_for", l.standing(now))
	}
}

func (w *Worker) hideLag(l *lane) {
	w.metrics.Lag.DeleteLabelValues(l.labels()...)
	w.metrics.Stands.DeleteLabelValues(l.labels()...)
}
