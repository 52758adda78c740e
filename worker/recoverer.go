package worker

import (
	"context"
	"slices"
	"time"
)

// runRecoverer claims doubtful lanes again. A fenced lane may belong to another worker by now, so
// it waits until a heartbeat after the fencing was answered and the lane is still assigned; then
// this worker is the rightful owner, whom a stalled one had fenced.
func (w *Worker) runRecoverer(stop context.Context) {
	for {
		due, wait := w.doubtfulLanes(time.Now())
		if len(due) > 0 {
			w.reclaim(stop, due)
			continue
		}
		if !sleepUntilKicked(stop, w.recover, wait) {
			return
		}
	}
}

// unsettled is after how many claims in a row, some seconds apart, no leader is expected to answer
// that knows of the records' own.
const unsettled = 10

// sleepUntilKicked waits for a kick, or for a time if it is not 0; false when the context ended.
func sleepUntilKicked(ctx context.Context, kicked <-chan struct{}, wait time.Duration) bool {
	var after <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-kicked:
	case <-after:
	}
	return ctx.Err() == nil
}

// doubtfulLanes are those to claim now, and when to look again if others must wait.
func (w *Worker) doubtfulLanes(now time.Time) (due []*lane, wait time.Duration) {
	const look = 50 * time.Millisecond
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lanes {
		if l.state != doubtful {
			continue
		}
		if l.busy || now.Before(l.retryAt) || !w.mayClaim(l) {
			wait = look
			continue
		}
		due = append(due, l)
	}
	return due, wait
}

// reclaim claims lanes again, drops everything that was known of them, and has the poll loop seek
// to their positions.
func (w *Worker) reclaim(ctx context.Context, due []*lane) {
	found, seen, err := w.claimAgain(ctx, due)
	if err != nil {
		w.claimFailed(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range found {
		w.reclaimed(&found[i], seen)
	}
	for _, l := range due {
		if l.state != doubtful {
			continue
		}
		if l.unclaimed = err; err != nil {
			l.tries++
			l.retryAt = time.Now().Add(backoff(l.tries, 50*time.Millisecond, 2*time.Second))
		}
	}
	w.count()
	if w.wakePoll != nil {
		w.wakePoll()
	}
}

// claimAgain asks Kafka, and then claims what may still be claimed: the question may take a while.
func (w *Worker) claimAgain(ctx context.Context, due []*lane) ([]finding, *sight, error) {
	names := make([]TopicPartition, len(due))
	for i, l := range due {
		names[i] = l.name()
	}
	found, err := w.find(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	w.mu.Lock()
	found = slices.DeleteFunc(found, func(f finding) bool {
		l := w.lanes[f.name]
		return l == nil || !w.mayClaim(l)
	})
	w.mu.Unlock()
	if len(found) == 0 {
		return nil, nil, nil
	}
	seen, err := w.claimFound(ctx, found)
	if err != nil {
		return nil, nil, err
	}
	return found, seen, nil
}

// reclaimed takes what was found of a lane. The caller holds mu.
func (w *Worker) reclaimed(f *finding, seen *sight) {
	l := w.lanes[f.name]
	if l == nil || l.state != doubtful {
		return // revoked meanwhile; its next owner claims after this
	}
	if f.unclaimed != nil {
		w.take(l, f, seen)
		w.postpone(l)
		return
	}
	if f.silent == nil && l.silence == nil {
		l.tries++
	}
	tries := l.tries
	w.noteLostCommits(l, f.claim)
	w.relay.Close(l.claim.Source.ID)
	l.adopt(f.claim)
	w.take(l, f, seen)
	if l.ahead > unsettled {
		l.checked = noEpoch // the leader says that its epoch is lower than that of its records: that broker cannot be asked
	}
	l.tries, l.retryAt = tries, time.Now().Add(backoff(tries, 20*time.Millisecond, 2*time.Second)) // should it be fenced again at once
	l.state = seeking
}
