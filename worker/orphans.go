package worker

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"allocation/outbox"
)

// orphans publishes what is left of sources that no member of the group has: of topics that are no
// longer configured, or no longer exist, and of positions that another has replaced. Their claims
// fence a worker that believes it owns them, and any later claim fences these.
type orphans struct {
	w      *Worker
	budget *outbox.Budget
	seen   map[int32]PositionRecord // with rows to publish, at the last look
	busy   atomic.Bool              // publishing
}

func newOrphans(w *Worker) *orphans {
	return &orphans{w: w, budget: w.relay.NewBudget(), seen: map[int32]PositionRecord{}}
}

// orphanRound is how long one round may take. What is left then, the next one finds again.
const orphanRound = time.Minute

// publish claims what it has seen twice, unmoved, and publishes it.
func (o *orphans) publish(ctx context.Context, seen *groupSnapshot, positions []PositionRecord) {
	idle := o.unmoved(positions)
	if len(idle) == 0 || o.busy.Load() {
		return
	}
	left := unassigned(seen, idle)
	if len(left) == 0 {
		return
	}
	claims, err := o.w.store.ClaimOrphans(ctx, left)
	if err != nil {
		o.w.metrics.Retries.WithLabelValues("postgres", "adopt").Inc()
		return
	}
	if len(claims) > 0 && o.busy.CompareAndSwap(false, true) {
		o.w.drains.Go(func() {
			defer o.busy.Store(false)
			o.drain(ctx, claims)
		})
	}
}

// unmoved are positions with rows to publish that are as they were at the last look.
func (o *orphans) unmoved(positions []PositionRecord) (idle []PositionRecord) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	now := map[int32]PositionRecord{}
	for _, at := range positions {
		if at.Published == at.NextRow || o.w.assignedSource(at.Source.ID) {
			continue
		}
		now[at.Source.ID] = at
		if o.seen[at.Source.ID] == at {
			idle = append(idle, at)
		}
	}
	o.seen = now
	return idle
}

// unassigned are those that no member of the group has. While the group cannot be asked, or members
// move, nobody can tell.
func unassigned(seen *groupSnapshot, idle []PositionRecord) (left []PositionRecord) {
	if seen == nil {
		return nil
	}
	var owners map[TopicPartition]Member
	if seen.group.Settled {
		owners = seen.group.Owners()
	}
	for _, at := range idle {
		_, owned := owners[TopicPartition{at.Source.Topic, at.Source.Partition}]
		if at.Retired || len(owners) > 0 && !owned {
			left = append(left, at)
		}
	}
	return left
}

// drain publishes sources, all at once, for they may wait for each other, and saves how far they
// are.
func (o *orphans) drain(ctx context.Context, left []Claim) {
	ctx, cancel := context.WithTimeout(ctx, orphanRound)
	defer cancel()
	o.open(left)
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		left = o.save(ctx, left)
		if len(left) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			o.forget(left)
			return
		case <-tick.C:
		}
	}
}

func (o *orphans) open(claims []Claim) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	for _, c := range claims {
		o.w.logger.Info("publishing rows that no member of the group has", "topic", c.Source.Topic, "partition", c.Source.Partition,
			"source", c.Source.ID, "rows", c.NextRow-c.Published)
		if !o.w.assignedSource(c.Source.ID) {
			o.w.relay.Open(c.Source, o.budget, c.Published, c.NextRow)
		}
	}
}

// forget closes sources, except those that were assigned to this worker meanwhile.
func (o *orphans) forget(claims []Claim) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	for _, c := range claims {
		if !o.w.assignedSource(c.Source.ID) {
			o.w.relay.Close(c.Source.ID)
		}
	}
}

// save writes how far sources are published, forgets those that are done or claimed by others, and
// returns the rest.
func (o *orphans) save(ctx context.Context, claims []Claim) (left []Claim) {
	progress := make([]Progress, len(claims))
	for i, c := range claims {
		row, ok := o.w.relay.Published(c.Source.ID)
		if !ok {
			row = c.Published
		}
		progress[i] = Progress{Source: c.Source.ID, Token: c.Token, Published: row}
	}
	lost, err := o.w.store.SavePublished(ctx, progress)
	if err != nil {
		o.w.metrics.Retries.WithLabelValues("postgres", "report").Inc()
		return claims
	}
	var done []Claim
	for i, c := range claims {
		if progress[i].Published >= c.NextRow || slices.Contains(lost, c.Source.ID) {
			done = append(done, c)
		} else {
			left = append(left, c)
		}
	}
	o.forget(done)
	return left
}

// assignedSource reports whether a partition has the source. The caller holds mu.
func (w *Worker) assignedSource(id int32) bool {
	for _, p := range w.partitions {
		if p.claim.Source.ID == id {
			return true
		}
	}
	return false
}
