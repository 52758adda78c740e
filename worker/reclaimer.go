package worker

import (
	"context"
	"slices"
	"time"
)

// runReclaimer claims partitions again whose claim or last commit is in doubt. A fenced partition
// may belong to another worker by now, so it waits until a heartbeat after the fencing was answered
// and the partition is still assigned; then this worker is the rightful owner, whom a stalled one
// had fenced.
func (w *Worker) runReclaimer(stop context.Context) {
	for {
		due, wait := w.dueReclaims(time.Now())
		if len(due) > 0 {
			w.reclaim(stop, due)
			continue
		}
		if !sleepUntilKicked(stop, w.wakeReclaimer, wait) {
			return
		}
	}
}

// dueReclaims are those to claim now, and when to look again if others must wait.
func (w *Worker) dueReclaims(now time.Time) (due []*partition, wait time.Duration) {
	const look = 50 * time.Millisecond
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		if p.state != reclaiming {
			continue
		}
		if p.busy || now.Before(p.reclaim.at) || !w.mayClaim(p) {
			wait = look
			continue
		}
		due = append(due, p)
	}
	return due, wait
}

// reclaim claims partitions again, drops everything that was known of them, and has the poll loop
// seek to their positions.
func (w *Worker) reclaim(ctx context.Context, due []*partition) {
	found, seen, err := w.claimAgain(ctx, due)
	if err != nil {
		w.claimFailed(err)
		found = nil
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range found {
		w.reclaimed(&found[i], seen, now)
	}
	for _, p := range due {
		if p.state == reclaiming && err != nil {
			p.reclaimFailed(err, now)
		}
	}
	w.count()
}

// claimAgain asks Kafka, and then claims what may still be claimed: the question may take a while.
func (w *Worker) claimAgain(ctx context.Context, due []*partition) ([]finding, *groupSnapshot, error) {
	names := make([]TopicPartition, len(due))
	for i, p := range due {
		names[i] = p.name
	}
	found, answers, err := w.find(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	w.mu.Lock()
	found = slices.DeleteFunc(found, func(f finding) bool {
		p := w.partitions[f.name]
		return p == nil || !w.mayClaim(p)
	})
	w.mu.Unlock()
	if len(found) == 0 {
		return nil, nil, nil
	}
	seen, err := w.claimFound(ctx, found, answers)
	return found, seen, err
}

// reclaimed takes what was found of a partition. The caller holds mu.
func (w *Worker) reclaimed(f *finding, seen *groupSnapshot, now time.Time) {
	p := w.partitions[f.name]
	if p == nil || p.state != reclaiming {
		return // revoked meanwhile; its next owner claims after this
	}
	if f.unclaimed != nil {
		w.take(p, f, seen)
		w.postpone(p)
		return
	}
	w.noteLostCommits(p, f.claim)
	w.relay.Close(p.claim.Source.ID)
	p.reclaimed(f.claim, f.silent != nil, now)
	w.take(p, f, seen)
	if p.reclaim.ahead > unsettled {
		p.queue.epoch = noEpoch // the leader says that its epoch is lower than that of its records: that broker cannot be asked
	}
	w.follow(p)
}
