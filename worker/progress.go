package worker

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// progress is how far a lane was when it last moved on, or had nothing to do. It is looked at once
// a second, so records cost nothing, and whatever keeps the lane back is seen: a claim in vain, a
// seek that nobody makes, rows that are not published, an applier that leaves the lane out.
type progress struct {
	next  int64     // as lane.next
	since time.Time // zero: not looked at yet

	row      int64 // that was published
	rowSince time.Time
	unsent   int64 // rows to be published, at the last look

	unclaimed error // why the last attempt to claim it again failed; nil: it did not
}

// look takes down how far a lane is, with the row below which all are published. The caller holds
// mu.
func (l *lane) look(published int64, now time.Time) {
	p := &l.progress
	if l.unsettled() {
		if p.since.IsZero() {
			p.since = now
		}
	} else if l.next != p.next || !l.hasWork() || p.since.IsZero() {
		p.since = now
	}
	p.unsent = l.nextRow - published
	if published != p.row || p.unsent <= 0 || p.rowSince.IsZero() {
		p.rowSince = now
		if l.state == draining { // a long drain is slow, and does not stand
			p.since = now
		}
	}
	p.next, p.row = l.next, published
}

// unsettled reports whether a lane is on its way from a claim to the next: that does not take long.
func (l *lane) unsettled() bool {
	return l.state == doubtful || l.state == seeking || l.state == draining
}

// hasWork reports whether records wait for a lane, in Kafka or in its queue, and it has no reason
// of its own to leave them there.
func (l *lane) hasWork() bool {
	return l.state == running && l.lock == nil && (l.stable > l.next || len(l.queue) > 0 || l.outsize != nil)
}

// whyNothingIsApplied says what keeps a lane back that stands for longer than there is patience;
// empty where nothing does. Of an applier that stands as a whole something else tells. The caller
// holds mu.
func (l *lane) whyNothingIsApplied(now time.Time, patience time.Duration) string {
	stood := now.Sub(l.progress.since)
	if l.progress.since.IsZero() || stood <= patience {
		return ""
	}
	switch {
	case l.state == doubtful && l.unclaimed != nil:
		return fmt.Sprintf("it is claimed again and again, in vain: %s", l.unclaimed)
	case l.state == doubtful:
		return "it is to be claimed again, and is not"
	case l.state == seeking:
		return "it is claimed, and its fetches do not begin"
	case l.state == draining:
		return fmt.Sprintf("%d events of before its claim are to be published first, and none of them is", l.unsent)
	case l.state == running && len(l.queue) == 0 && l.outsize == nil && stood <= 2*patience:
		// That nothing comes, whyNothingComes says first, unless the lane is claimed again and
		// again meanwhile.
	case l.hasWork() && l.applier.stalled(now, patience) == "":
		return fmt.Sprintf("records wait from offset %d on, and none of them is applied", l.next)
	}
	return ""
}

// adoption is how long events may have to wait for those of a partition that nobody has: a worker
// adopts them when it has seen them twice.
const adoption = 3 * watchEvery

// whyNothingIsPublished says how many events of a lane wait where none is published for longer than
// there is patience. The caller holds mu.
func (l *lane) whyNothingIsPublished(now time.Time, patience time.Duration) string {
	p := &l.progress
	if l.unsettled() || p.rowSince.IsZero() || now.Sub(p.rowSince) <= patience+adoption {
		return ""
	}
	return fmt.Sprintf("%d events wait to be published since %s, and none of them is", p.unsent, p.rowSince.UTC().Format(time.RFC3339))
}

// arrival is about partitions that the group gave to this worker, and that are not claimed yet:
// there are no lanes that could tell of them.
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

// unclaimed is how many partitions the group gave to this worker that should be lanes by now. The
// caller holds mu.
func (w *Worker) unclaimed(now time.Time) (n int) {
	if !w.arriving.late(now) {
		return 0
	}
	for _, name := range w.arriving.names {
		if w.lanes[name] == nil {
			n++
		}
	}
	return n
}
