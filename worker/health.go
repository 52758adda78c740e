package worker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// lastTime is a time that many may set and read.
type lastTime struct{ ns atomic.Int64 }

func (t *lastTime) set(at time.Time) { t.ns.Store(at.UnixNano()) }

func (t *lastTime) get() time.Time { return time.Unix(0, t.ns.Load()) }

// pingTimeout bounds what a readiness probe waits for Postgres.
const pingTimeout = 2 * time.Second

// Stuck says that this process does not work any more, though it may look so: nobody lets go of
// what guards its partitions. It waits for nothing.
func (m *Metrics) Stuck() string {
	if stood := m.fetchWatch.Stands(time.Now()); stood > 0 {
		return "this process hangs for " + since(stood) + ": restart it, and keep what kill -QUIT prints"
	}
	return ""
}

// Notes say what is wrong with some of the worker's partitions while others move, for the people
// who look. They are no reason not to be ready: a rollout would be blocked by it.
func (w *Worker) Notes() (notes []string) {
	now, outbox := time.Now(), w.relay.Err()
	for _, note := range w.relay.Notes() {
		notes = append(notes, "outbox: "+note)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		if p.state == quarantined {
			notes = append(notes, fmt.Sprintf("%s, partition %d: in quarantine: %s", p.name.Topic, p.name.Partition, p.quarantineReason))
		}
		if why := p.log.waitsForTransaction(w.cfg.StallTimeout, now); why != "" {
			notes = append(notes, fmt.Sprintf("%s, partition %d: %s", p.name.Topic, p.name.Partition, why))
		}
		if why := p.whyNothingIsPublished(now, w.cfg.StallTimeout); why != "" && outbox == nil {
			notes = append(notes, fmt.Sprintf("%s, partition %d: %s", p.name.Topic, p.name.Partition, why))
		}
	}
	notes = append(notes, w.groupView.left...)
	notes = slices.AppendSeq(notes, maps.Values(w.groupView.foreign))
	if standing, all := w.standing(now); !all {
		notes = append(notes, standing...)
	}
	slices.Sort(notes)
	return notes
}

// NotReady says why the worker should get no traffic now; empty where it is ready. What Notes says
// is no reason.
func (w *Worker) NotReady(ctx context.Context) (reasons []string) {
	if trouble := w.groupTrouble(); trouble != "" {
		reasons = append(reasons, "group: "+trouble)
	}
	if other := w.barred.Load(); other != nil {
		reasons = append(reasons, "group: "+other.Error())
	}
	if silent := time.Since(w.kafka.answered.get()); silent > w.cfg.SessionTimeout/2 {
		reasons = append(reasons, "kafka: no answer for "+since(silent))
	}
	if err := w.relay.Err(); err != nil {
		reasons = append(reasons, "outbox: "+err.Error())
	}
	if err := w.ping(ctx); err != nil {
		reasons = append(reasons, "postgres: "+err.Error())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if standing, all := w.standing(time.Now()); all {
		reasons = append(reasons, standing...)
	}
	return reasons
}

// groupTrouble says why the worker is no member of its group; empty where it is.
func (w *Worker) groupTrouble() string {
	if trouble := w.member.trouble(); trouble != "" {
		return trouble
	}
	if _, generation := w.client.GroupMetadata(); generation < 0 {
		return "not joined"
	}
	if silent := time.Since(w.kafka.group.get()); silent > rebalanceTime+w.cfg.SessionTimeout {
		return "no answer for " + since(silent)
	}
	return ""
}

func since(d time.Duration) string {
	if d > 24*time.Hour {
		return "as long as it runs"
	}
	return d.Truncate(100 * time.Millisecond).String()
}

func (w *Worker) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return w.store.Ping(ctx)
}

// standing says which partitions and appliers do not move though they have work, and whether none
// of the worker's partitions can. One in quarantine cannot, but waits for a person: it alone is
// nothing to wait for. Where Postgres serves nobody, none can, whether it has work or not.
// Partitions that are not claimed yet cannot, either. The caller holds mu.
func (w *Worker) standing(now time.Time) (reasons []string, all bool) {
	still, outage := 0, false
	for i, a := range w.appliers {
		stalled := a.stalled(now, w.cfg.StallTimeout)
		if stalled != "" {
			reasons = append(reasons, fmt.Sprintf("applier %d: %s", i, stalled))
			outage = outage || a.outage != nil
		}
		for _, p := range a.partitions {
			if p.isTroubled() {
				reasons = append(reasons, fmt.Sprintf("%s, partition %d: %s since %s: %s", p.name.Topic, p.name.Partition, p.whatStands(), p.trouble.since.UTC().Format(time.RFC3339), p.trouble.why))
			}
			if p.lock != nil && p.state != quarantined {
				reasons = append(reasons, fmt.Sprintf("%s, partition %d: %s", p.name.Topic, p.name.Partition, p.lock))
			}
			if stalled != "" || p.trouble.why != "" || p.state == quarantined || p.lock != nil && now.Sub(p.lock.since) > w.cfg.StallTimeout {
				still++
			}
		}
	}
	if w.arriving.late(now) {
		reasons = append(reasons, w.arriving.String())
	}
	slices.Sort(reasons)
	return reasons, outage || len(reasons) > 0 && still == len(w.partitions)
}

// stalled says how much waits for an applier that does not move; empty where it does, or nothing
// waits. The caller holds mu.
func (a *applier) stalled(now time.Time, patience time.Duration) string {
	waiting := 0
	for _, p := range a.partitions {
		if p.state == running {
			waiting += len(p.queue.records)
		}
	}
	idle := now.Sub(a.movedAt)
	if waiting == 0 || idle <= patience {
		return ""
	}
	reason := fmt.Sprintf("%d records wait, and nothing moved for %s", waiting, since(idle))
	if a.outage != nil {
		reason += ": " + a.outage.Error()
	}
	return reason
}
