package worker

import (
	"fmt"
	"slices"
	"strings"
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

	unclaimed error // why the last attempt to claim it again failed; nil: it did not
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
	last.unsent = p.nextRow - published
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
	return p.state == running && p.lock == nil && (p.stable > p.next || len(p.queue) > 0 || p.oversized != nil)
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
	case p.state == reclaiming && p.unclaimed != nil:
		return fmt.Sprintf("it is claimed again and again, in vain: %s", p.unclaimed)
	case p.state == reclaiming:
		return "it is to be claimed again, and is not"
	case p.state == seeking:
		return "it is claimed, and its fetches do not begin"
	case p.state == draining:
		return fmt.Sprintf("%d events of before its claim are to be published first, and none of them is", p.unsent)
	case p.state == running && len(p.queue) == 0 && p.oversized == nil && stood <= 2*patience:
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

// arrival is about partitions that the group gave to this worker, and that are not claimed yet:
// there is no state of them yet that could tell.
type arrival struct {
	names []TopicPartition
	since time.Time
	why   error // the last claim failed; nil: it is under way
}

// arrivalTime is how long a first claim may take. Less would show each rebalance beside a server
// that moves.
const arrivalTime = 5 * time.Second

// late reports whether the claim takes too long. There may be none.
func (a *arrival) late(now time.Time) bool { return a != nil && now.Sub(a.since) > arrivalTime }

func (a *arrival) String() string {
	why := "no answer yet"
	if a.why != nil {
		why = a.why.Error()
	}
	return fmt.Sprintf("%s: not claimed since %s: %s", listed(a.names), a.since.UTC().Format(time.RFC3339), why)
}

// listed names partitions, by topic.
func listed(names []TopicPartition) string {
	numbers := map[string][]string{}
	for _, n := range names {
		numbers[n.Topic] = append(numbers[n.Topic], fmt.Sprint(n.Partition))
	}
	var topics []string
	for topic, ps := range numbers {
		topics = append(topics, fmt.Sprintf("%s, partitions %s", topic, strings.Join(ps, " ")))
	}
	slices.Sort(topics)
	return strings.Join(topics, "; ")
}

// arrive notes partitions that are to be claimed for the first time. What it returns is called when
// they are, or belong to others.
func (w *Worker) arrive(names []TopicPartition) (arrived func()) {
	slices.SortFunc(names, TopicPartition.compare)
	a := &arrival{names: names, since: time.Now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arriving = a
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.arriving == a {
			w.arriving = nil
		}
		w.count()
	}
}

// arrivalFailed notes why they are not claimed.
func (w *Worker) arrivalFailed(err error) {
	w.claimFailed(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.arriving != nil {
		w.arriving.why = err
	}
}

// unclaimed is how many partitions the group gave to this worker that should be claimed by now. The
// caller holds mu.
func (w *Worker) unclaimed(now time.Time) (n int) {
	if !w.arriving.late(now) {
		return 0
	}
	for _, name := range w.arriving.names {
		if w.partitions[name] == nil {
			n++
		}
	}
	return n
}
