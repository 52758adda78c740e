package worker

import (
	"fmt"
	"log/slog"
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

// failures tells a command that fails from a database that does.
type failureStats struct {
	commits int64 // transactions that applied commands
	holds   int   // commands that were held since the last of them
}

// mayHold reports whether a command that fails is the one at fault. The caller holds mu.
func (w *Worker) mayHold() bool { return w.failures.holds < maxHolds }

// count counts what was committed. The caller holds mu.
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

// failedAlone counts a command's failure alone. When it failed often enough, while others did not,
// it is held. The caller holds mu.
func (w *Worker) failedAlone(p *partition, offset int64, err error) {
	if !p.alone {
		p.failedAt = w.failures.commits
	}
	p.alone = true
	p.failures++
	p.retryAt = time.Now().Add(backoff(p.failures, 100*time.Millisecond, 30*time.Second))
	attrs := []any{slog.String("topic", p.topic), slog.Int("partition", int(p.number)), slog.Int64("offset", offset), slog.Int("failures", p.failures), slog.Any("error", err)}
	if w.atFault(p) {
		p.failure = failed(p.failures, err)
		p.retryAt = time.Time{}
		w.logger.Error("command failed when applied alone: it becomes a dead letter, and later ones of its key wait for it", attrs...)
		return
	}
	w.logger.Error("command failed when applied alone, retrying", attrs...)
}

// failed says for a dead letter why a command was not applied; the log has all of it.
func failed(times int, err error) string {
	const most = 300
	text, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Sprintf("it failed %d times alone: %s", times, strings.ToValidUTF8(text[:min(most, len(text))], ""))
}

// atFault reports whether it is the partition's first command that fails, and not everything. The
// caller holds mu.
func (w *Worker) atFault(p *partition) bool {
	if p.failures < maxFailures || !w.mayHold() {
		return false
	}
	return w.failures.commits > p.failedAt || p.failures >= patientFailures && !w.othersTry(p)
}

// othersTry reports whether another partition may yet show that commands can be applied. The caller
// holds mu.
func (w *Worker) othersTry(p *partition) bool {
	for _, other := range w.partitions {
		if other != p && other.state == running && len(other.queue) > 0 && other.failures < maxFailures {
			return true
		}
	}
	return false
}
