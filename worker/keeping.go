package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// keeping is about what the database keeps for a lane: dead letters on which an operator decided, and what waits behind held products. The lane's
// applier applies it in transactions of its own, in turn with the lane's records.
type keeping struct {
	backlog bool // there is something to apply
	held    int  // products that dead letters of this lane hold

	keptLimit    int       // most commands of the next transaction
	keptFailures int       // in a row, of one alone
	keptFailure  string    // why it is held again; empty: it is not
	keptHead     keptHead  // which it is
	keptAt       time.Time // not before this is it tried again
	keptSurvived bool      // the last attempt ended, with an error
}

// keptHead names a kept command by where it came from.
type keptHead struct {
	source int32
	offset int64
}

func headOf(records []record) (h keptHead) {
	if len(records) > 0 {
		h = keptHead{records[0].kept.From.ID, records[0].Offset}
	}
	return h
}

const (
	keptMost  = 500 // commands of a transaction
	keepEvery = 5 * time.Second

	// A batch of kept commands that was begun so often and never ended is taken one by one; one command that was, is held again.
	keptAlone = 3
	keptFatal = 6
)

// runKeeper looks for kept commands that may be applied.
func (w *Worker) runKeeper(stop context.Context) {
	for {
		w.lookForKept(stop)
		if !sleepUntilKicked(stop, w.keep, keepEvery) {
			return
		}
	}
}

func (w *Worker) lookForKept(ctx context.Context) {
	sources := w.sources()
	if len(sources) == 0 {
		w.setBacklogs(nil)
		return
	}
	backlogs, err := w.store.Backlogs(ctx, sources)
	if err != nil {
		if ctx.Err() == nil {
			w.metrics.Retries.WithLabelValues("postgres", "kept").Inc()
		}
		return
	}
	w.setBacklogs(backlogs)
}

func (w *Worker) setBacklogs(backlogs map[int32]Backlog) {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := 0
	for _, l := range w.lanes {
		b := backlogs[l.claim.Source.ID]
		l.held = b.Held
		held += b.Held
		if b.Work && !l.backlog {
			l.backlog = true
			l.applier.kick()
		}
	}
	w.metrics.HeldKeys.Set(float64(held))
}

// decided hears that an operator decided something.
func (w *Worker) decided() { kick(w.keep) }

// keptLane is a lane with kept commands to apply; without any that is due, it says how long to wait at most. The caller holds mu.
func (a *applier) keptLane(now time.Time) (due *lane, wait time.Duration) {
	for i := range a.lanes {
		l := a.lanes[(i+a.turn)%len(a.lanes)]
		if l.state != running || l.busy || !l.backlog {
			continue
		}
		left := l.keptAt.Sub(now)
		if left <= 0 {
			return l, 0
		}
		wait = sooner(wait, left)
	}
	return nil, wait
}

// gatherKept makes a batch of a lane, whose commands are read later. The caller holds mu.
func (a *applier) gatherKept(l *lane) *work {
	a.turn++
	l.busy = true
	row, _ := a.w.relay.Published(l.claim.Source.ID)
	return &work{
		kept: true, lanes: []*lane{l}, taken: []int{0}, fails: l.keptFailure,
		batch: Batch{Applier: a.number, Lanes: []Lane{{
			Source: l.claim.Source, Token: l.claim.Token, From: l.next, To: l.next, NextRow: l.nextRow, Published: max(row, l.saved),
		}}},
	}
}

// readKept reads what the database keeps. It is not ok when there is nothing left.
func (a *applier) readKept(ctx context.Context, work *work) (ok bool, err error) {
	l := work.lanes[0]
	most := max(1, l.keptLimit)
	kept, err := a.w.store.Kept(ctx, l.claim.Source.ID, most, l.keptSurvived)
	if err != nil {
		return false, err
	}
	if kept.Attempts > keptAlone && len(kept.Records) > 1 {
		kept.Records, kept.Free = kept.Records[:1], ""
	}
	for i := range kept.Records {
		work.records = append(work.records, a.w.unkeep(&kept.Records[i]))
	}
	if headOf(work.records) != l.keptHead {
		work.fails = "" // an operator decided about another that comes first
	}
	if kept.Attempts > keptFatal && len(kept.Records) == 1 && work.fails == "" {
		work.fails = fmt.Sprintf("its worker's process ended %d times while it was applied", kept.Attempts-1)
	}
	if kept.Free != "" && work.fails == "" {
		work.batch.Free = []string{kept.Free}
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	l.keptSurvived = false
	l.backlog = !kept.Empty()
	return l.backlog, nil
}

// unkeep makes a record of a kept command, as if it had just been fetched.
func (w *Worker) unkeep(r *KeptRecord) record {
	fetched := &kgo.Record{Key: r.Key, Value: r.Value, Offset: r.Offset, Timestamp: time.UnixMilli(r.Time)}
	for _, h := range r.Headers {
		fetched.Headers = append(fetched.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return record{Record: fetched, kind: w.kinds[r.From.Topic], kept: &r.Kept}
}

// keptApplied notes that kept commands were applied. The caller holds mu.
func (l *lane) keptApplied() {
	l.keptFailures, l.keptFailure, l.keptAt = 0, "", time.Time{}
	l.keptLimit = min(2*max(1, l.keptLimit), keptMost)
}

// isolateKept looks for the kept command at fault, by halving. One that fails alone is held, as if it had just come. The caller holds mu.
func (a *applier) isolateKept(work *work, err error) {
	l := work.lanes[0]
	if n := len(work.records); n > 1 {
		l.keptLimit = n / 2
		return
	}
	l.keptLimit = 1
	l.keptFailures++
	l.keptAt = time.Now().Add(backoff(l.keptFailures, 100*time.Millisecond, 30*time.Second))
	if l.keptFailures >= maxFailures && a.w.mayHold() {
		l.keptFailure, l.keptHead = failed(l.keptFailures, err), headOf(work.records)
	}
	a.w.logger.Error("a kept command fails", "topic", l.topic, "partition", l.partition, "failures", l.keptFailures, "error", err)
}
