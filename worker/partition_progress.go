package worker

import (
	"fmt"
	"time"
)

// progress is how far a partition was when it last moved on, or had nothing to do. It is looked at
// once a second, so records cost nothing, and whatever keeps the partition back is seen: a claim in
// vain, a seek that nobody makes, rows that are not published, an applier that leaves the partition
// out.
type progress struct {
	next  int64     // as partition.next
	since time.Time // zero: not looked at yet

	row      int64 // that was published
	rowSince time.Time
	unsent   int64 // rows to be published, at the last look
}

// look takes down how far a partition is, with the row below which all are published. The caller
// holds mu.
func (p *partition) look(published int64, now time.Time) {
	last := &p.progress
	if p.unsettled() {
		if last.since.IsZero() {
			last.since = now
		}
	} else if p.next != last.next || !p.hasWork() || last.since.IsZero() {
		last.since = now
	}
	last.unsent = p.published.nextRow - published
	if published != last.row || last.unsent <= 0 || last.rowSince.IsZero() {
		last.rowSince = now
		if p.state == draining { // a long drain is slow, and does not stand
			last.since = now
		}
	}
	last.next, last.row = p.next, published
}

// unsettled reports whether a partition is on its way from a claim to the next: that does not take
// long.
func (p *partition) unsettled() bool {
	return p.state == reclaiming || p.state == seeking || p.state == draining
}

// hasWork reports whether records wait for a partition, in Kafka or in its queue, and it has no
// reason of its own to leave them there.
func (p *partition) hasWork() bool {
	return p.state == running && p.lock == nil && (p.log.stable > p.next || len(p.queue.records) > 0 || p.oversized != nil)
}

// whyNothingIsApplied says what keeps a partition back that stands for longer than there is
// patience; empty where nothing does. Of an applier that stands as a whole something else tells.
// The caller holds mu.
func (p *partition) whyNothingIsApplied(now time.Time, patience time.Duration) string {
	stood := now.Sub(p.progress.since)
	if p.progress.since.IsZero() || stood <= patience {
		return ""
	}
	switch {
	case p.state == reclaiming && p.reclaim.failed != nil:
		return fmt.Sprintf("it is claimed again and again, in vain: %s", p.reclaim.failed)
	case p.state == reclaiming:
		return "it is to be claimed again, and is not"
	case p.state == seeking:
		return "it is claimed, and its fetches do not begin"
	case p.state == draining:
		return fmt.Sprintf("%d events of before its claim are to be published first, and none of them is", p.progress.unsent)
	case p.state == running && len(p.queue.records) == 0 && p.oversized == nil && stood <= 2*patience:
		// That nothing comes, whyNothingComes says first, unless the partition is claimed again and
		// again meanwhile.
	case p.hasWork() && p.applier.stalled(now, patience) == "":
		return fmt.Sprintf("records wait from offset %d on, and none of them is applied", p.next)
	}
	return ""
}

// orphanWait is how long events may have to wait for those of a partition that nobody has: a worker
// claims them when it has seen them twice.
const orphanWait = 3 * watchEvery

// whyNothingIsPublished says how many events of a partition wait where none is published for longer
// than there is patience. The caller holds mu.
func (p *partition) whyNothingIsPublished(now time.Time, patience time.Duration) string {
	last := &p.progress
	if p.unsettled() || last.rowSince.IsZero() || now.Sub(last.rowSince) <= patience+orphanWait {
		return ""
	}
	return fmt.Sprintf("%d events wait to be published since %s, and none of them is", last.unsent, last.rowSince.UTC().Format(time.RFC3339))
}
