package worker

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

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
