package worker

import (
	"fmt"
	"strings"
	"time"
)

const (
	// maxFailures is how often a command must fail alone before it is held.
	maxFailures = 3
	// patientFailures is how often it must where nothing else was tried meanwhile.
	patientFailures = 6
	// maxHolds is how many commands may be held one after the other without one that is applied. If
	// all fail, it is an outage.
	maxHolds = 3
)

// failing is about a partition's first record, where that fails in a transaction of its own.
type failing struct {
	alone   bool      // it is tried alone
	times   int       // in a row
	since   int64     // what the worker had committed when it failed first
	why     string    // why it is held now; empty: it is not
	retryAt time.Time // not before this is it tried again
}

// failed counts a failure. When the record failed often enough, while others did not, it is held.
func (f *failing) failed(err error, stats *failureStats, othersTry bool, now time.Time) (held bool) {
	if !f.alone {
		*f = failing{alone: true, since: stats.commits}
	}
	f.times++
	f.retryAt = now.Add(backoff(f.times, 100*time.Millisecond, 30*time.Second))
	if f.times < maxFailures || !stats.mayHold() || stats.commits == f.since && (f.times < patientFailures || othersTry) {
		return false
	}
	f.why, f.retryAt = failed(f.times, err), time.Time{}
	return true
}

// mayShow reports whether a partition may yet show that commands can be applied.
func (p *partition) mayShow() bool {
	return p.state == running && len(p.queue.records) > 0 && p.failing.times < maxFailures
}

// failed says for a dead letter why a command was not applied; the log has all of it.
func failed(times int, err error) string {
	const most = 300
	text, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Sprintf("it failed %d times alone: %s", times, strings.ToValidUTF8(text[:min(most, len(text))], ""))
}

// failureStats tells a command that fails from a database that does.
type failureStats struct {
	commits int64 // transactions that applied commands
	holds   int   // commands that were held since the last of them
}

// mayHold reports whether a command that fails is the one at fault.
func (s *failureStats) mayHold() bool { return s.holds < maxHolds }

// count counts what was committed.
func (s *failureStats) count(outcomes []Outcome, failed bool) {
	if failed {
		s.holds++
		return
	}
	for _, o := range outcomes {
		if o.Result != Held && o.Result != Discarded {
			s.commits++
			s.holds = 0
			return
		}
	}
}
