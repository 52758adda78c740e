package worker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// assigned claims the partitions that the group added, and answers where to fetch: from the
// database's positions, never from the group's. Every partition must be in the answer, or it is
// silently never consumed; an error would lose the whole assignment. So it tries for as long as the
// assignment lasts.
func (w *Worker) assigned(ctx context.Context, group map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	names := namesOf(group)
	if len(names) == 0 {
		return group, nil
	}
	arrived := w.arrive(names)
	defer arrived()
	claiming, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(w.leaving, func() { cancel(errStopped) })()
	for attempt := 1; claiming.Err() == nil; attempt++ {
		offsets, err := w.claim(claiming, names)
		if err == nil {
			return offsets, nil
		}
		if claiming.Err() == nil {
			w.arrivalFailed(err)
			pause(claiming, backoff(attempt, 50*time.Millisecond, 2*time.Second))
		}
	}
	if ctx.Err() == nil {
		arrived()
		w.decline(ctx, names)
	}
	return nil, context.Cause(ctx)
}

// decline leaves partitions to the worker that gets them when this one has left, which claims them
// anyway. A claim of this one would apply nothing and fence the worker that does, and this one
// would have to publish the events that others left before it stops.
func (w *Worker) decline(ctx context.Context, names []TopicPartition) {
	w.logger.Info("stopping: partitions that the group gives are not claimed", "partitions", len(names))
	w.declined.Store(true)
	<-ctx.Done()
}

func (w *Worker) claimFailed(err error) {
	w.metrics.Retries.WithLabelValues("postgres", "claim").Inc()
	w.throttled.warn("claim partitions", err)
}

func namesOf(offsets map[string]map[int32]kgo.Offset) (names []TopicPartition) {
	for topic, partitions := range offsets {
		for number := range partitions {
			names = append(names, TopicPartition{topic, number})
		}
	}
	return names
}

// claim claims partitions, each for itself: one whose leader does not answer, or whose position is
// locked, keeps nothing from the others.
func (w *Worker) claim(ctx context.Context, names []TopicPartition) (map[string]map[int32]kgo.Offset, error) {
	found, answers, err := w.find(ctx, names)
	if err != nil {
		return nil, err
	}
	seen, err := w.claimFound(ctx, found, answers)
	if err != nil {
		return nil, err
	}
	late := !w.heard() // then the partitions may have moved before they were claimed
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	offsets := map[string]map[int32]kgo.Offset{}
	for i := range found {
		f := &found[i]
		if old := w.partitions[f.name]; old != nil { // a partition can be handed out twice
			w.close(old)
		}
		p := newPartition(f.claim, w.types[f.name.Topic], now)
		p.silence.uncompared = true
		w.add(p)
		w.take(p, f, seen)
		switch {
		case f.unclaimed != nil:
			w.postpone(p)
		case late:
			w.requestReclaim(p, now)
		default:
			w.open(p)
		}
		put(offsets, p.name, kgo.NewOffset().At(p.next).WithEpoch(p.seekEpoch()))
	}
	w.count()
	return offsets, nil
}

// add gives a partition to the applier with the fewest. The caller holds mu.
func (w *Worker) add(p *partition) {
	w.partitions[p.name] = p
	least := w.appliers[0]
	for _, a := range w.appliers[1:] {
		if len(a.partitions) < len(least.partitions) {
			least = a
		}
	}
	p.applier = least
	least.partitions = append(least.partitions, p)
}

// noteLostCommits reports a database that went back while this worker was connected: it is behind
// what this worker committed, and no operator decided that.
func (w *Worker) noteLostCommits(p *partition, claim Claim) {
	if lostCommits(p, claim) {
		w.metrics.Rollbacks.Inc()
		w.loggerOf(p).Error("the database is behind what was committed: it was restored, or a failover lost commits; replaying from its own position",
			"position", claim.NextOffset, "committed", p.next, "row", claim.NextRow, "committed_row", p.published.nextRow)
	}
}

// lostCommits reports whether a claim is behind what the partition committed. Where its position is
// gone, the claim made another one for the same log.
func lostCommits(p *partition, claim Claim) bool {
	was := &p.claim
	if claim.Source.ID != was.Source.ID {
		return was.Source.ID != 0 && claim.Source.TopicID == was.Source.TopicID
	}
	return claim.Replay == was.Replay && p.isAheadOf(claim.NextOffset, claim.NextRow)
}

// noteRollback reports a database that was restored or lost commits: the group knows of commands
// that the database does not. What it knows of before an operator's decision, or of another log, is
// no proof; nor is what a consumer told that is no worker.
func (w *Worker) noteRollback(p *partition, seen *groupSnapshot, log Log) {
	if at := seen.reports[p.name].at; seen.ahead(p.claim) && at <= log.End {
		w.metrics.Rollbacks.Inc()
		w.loggerOf(p).Error("the database is behind what was reported to the group: it was restored, or a failover lost commits; replaying from its own position",
			"position", p.next, "reported", at)
	}
}

// revokeFlush is how long a partition that moves waits for the acknowledgement of its last events:
// what is missing, the next owner publishes.
const revokeFlush = 2 * time.Second

// revoked gives partitions back: the transaction in flight finishes, its events are flushed, the
// position is reported.
func (w *Worker) revoked(ctx context.Context, _ *kgo.Client, numbers map[string][]int32) {
	partitions, ids := w.startRevoking(numbers)
	flush, cancel := context.WithTimeout(ctx, revokeFlush)
	defer cancel()
	if len(ids) > 0 { // the client tells of each rebalance, also where nothing moves
		if err := w.relay.Flush(flush, ids...); err != nil {
			w.logger.Info("partitions move with events unacknowledged: their next owner publishes them", "error", err)
		}
	}
	_ = w.reportPartitions(flush, partitions) // it is counted, and the next owner reports
	w.lost(ctx, nil, numbers)
}

// startRevoking stops applying partitions, and waits for the transactions in flight on them.
func (w *Worker) startRevoking(numbers map[string][]int32) (partitions []*partition, publishing []int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for topic, ps := range numbers {
		for _, number := range ps {
			if p := w.partitions[TopicPartition{topic, number}]; p != nil {
				for p.busy {
					w.freed.Wait()
				}
				if p.publishes() {
					partitions, publishing = append(partitions, p), append(publishing, p.claim.Source.ID)
				}
				p.state = revoking
			}
		}
	}
	return partitions, publishing
}

// lost forgets partitions that belong to another worker by now. A transaction in flight is fenced
// in the database.
func (w *Worker) lost(_ context.Context, _ *kgo.Client, numbers map[string][]int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for topic, ps := range numbers {
		for _, number := range ps {
			if p := w.partitions[TopicPartition{topic, number}]; p != nil {
				w.close(p)
			}
		}
	}
}
