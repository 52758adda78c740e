package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// keeping is about what the database keeps for a partition: dead letters on which an operator
// decided, and what waits behind held keys. The partition's applier applies it in transactions of
// its own, in turn with the partition's records.
type keeping struct {
	backlog bool // there is something to apply
	held    int  // keys that dead letters of this partition hold

	kept         isolation
	keptSurvived bool // the last attempt ended, with an error

	again *reread  // a batch of records that is read again; nil: none
	begun LetterID // the last that was
}

// isolation looks for the one among kept commands that fails.
type isolation struct {
	limit    int       // most commands of the next transaction
	suspects int       // commands of which one is at fault
	failures int       // in a row, of one alone
	failure  string    // why it is held again; empty: it is not
	head     keptHead  // which it is
	at       time.Time // not before this is it tried again
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

	// A transaction of kept commands that was begun so often and never ended is taken one by one;
	// one command that was, is held again.
	keptAlone = 3
	keptFatal = 6
)

// runKeeper looks for kept commands that may be applied.
func (w *Worker) runKeeper(stop context.Context) {
	w.metrics.keeper.Begin()
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
		w.metrics.keeper.Well()
		return
	}
	backlogs, err := w.store.Backlogs(ctx, sources)
	w.metrics.keeper.Ill(err)
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
	for _, p := range w.partitions {
		b := backlogs[p.claim.Source.ID]
		w.readAgain(p, b.Again)
		p.held = b.Held
		held += b.Held
		if b.Work && !p.backlog {
			p.backlog = true
			p.applier.kick()
		}
	}
	w.metrics.HeldKeys.Set(float64(held))
}

// decided hears that an operator decided something.
func (w *Worker) decided() { kick(w.keep) }

// keptPartition is a partition with kept commands to apply; without any that is due, it says how
// long to wait at most. The caller holds mu.
func (a *applier) keptPartition(now time.Time) (due *partition, wait time.Duration) {
	for i := range a.partitions {
		p := a.partitions[(i+a.turn)%len(a.partitions)]
		if p.state != running || p.busy || !p.backlog && !p.again.isReady() {
			continue
		}
		left := p.nextKept().Sub(now)
		if left <= 0 {
			return p, 0
		}
		wait = sooner(wait, left)
	}
	return nil, wait
}

// gatherKept makes a transaction of a partition, whose commands are read later. The caller holds
// mu.
func (a *applier) gatherKept(p *partition) *work {
	a.turn++
	p.busy = true
	row, _ := a.w.relay.Published(p.claim.Source.ID)
	work := &work{
		kept: true, partitions: []*partition{p}, taken: []int{0}, fails: p.kept.failure,
		transaction: Transaction{Applier: a.number, Moves: []PositionMove{{
			Source: p.claim.Source, Token: p.claim.Token, From: p.next, To: p.next, NextRow: p.nextRow, Published: max(row, p.saved),
		}}},
	}
	if p.again.isReady() {
		p.again.give(work)
	}
	return work
}

// nextKept is when the partition's next kept command may be tried. The caller holds mu.
func (p *partition) nextKept() time.Time {
	if p.again.isReady() {
		return p.again.at
	}
	return p.kept.at
}

// readKept reads what the database keeps. It is not ok when there is nothing left.
func (a *applier) readKept(ctx context.Context, work *work) (ok bool, err error) {
	p := work.partitions[0]
	most := max(1, p.kept.limit)
	kept, err := a.w.store.Kept(ctx, p.claim.Source.ID, most, p.keptSurvived)
	if err != nil {
		return false, err
	}
	if kept.Attempts > keptAlone && len(kept.Records) > 1 {
		kept.Records, kept.Free = kept.Records[:1], ""
	}
	for i := range kept.Records {
		work.records = append(work.records, a.w.unkeep(&kept.Records[i]))
	}
	if headOf(work.records) != p.kept.head {
		work.fails = "" // an operator decided about another that comes first
	}
	if kept.Attempts > keptFatal && len(kept.Records) == 1 && work.fails == "" {
		work.fails = fatal(kept.Attempts)
	}
	if kept.Free != "" && work.fails == "" {
		work.transaction.Free = []string{kept.Free}
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	p.keptSurvived = false
	p.backlog = !kept.Empty()
	return p.backlog, nil
}

// unkeep makes a record of a kept command, as if it had just been fetched.
func (w *Worker) unkeep(r *KeptRecord) record {
	fetched := &kgo.Record{Key: r.Key, Value: r.Value, Offset: r.Offset, Timestamp: time.UnixMilli(r.Time)}
	for _, h := range r.Headers {
		fetched.Headers = append(fetched.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return record{Record: fetched, kind: w.kinds[r.From.Topic], kept: &r.Kept}
}

// fatal says for a dead letter that a command ends its worker.
func fatal(attempts int) string {
	return fmt.Sprintf("its worker's process ended %d times while it was applied", attempts-1)
}

// isolation is the one that a transaction of kept commands belongs to. The caller holds mu.
func (w *work) isolation() *isolation {
	if w.again != nil {
		return &w.again.isolation
	}
	return &w.partitions[0].kept
}

// applied notes that so many kept commands were applied.
func (i *isolation) applied(n int) {
	*i = isolation{limit: max(1, i.limit), suspects: max(0, i.suspects-n), head: i.head}
	if i.suspects == 0 {
		i.limit = min(2*i.limit, keptMost)
	}
}

// isolateKept looks for the kept command at fault, as isolate does. One that fails alone is held,
// as if it had just come. The caller holds mu.
func (a *applier) isolateKept(work *work, err error) {
	p, i := work.partitions[0], work.isolation()
	if n := len(work.records); n > 1 {
		i.suspects, i.limit = n, max(1, n/faultShrink)
		return
	}
	i.suspects, i.limit = 0, 1
	i.failures++
	i.at = time.Now().Add(backoff(i.failures, 100*time.Millisecond, 30*time.Second))
	if i.failures >= maxFailures && a.w.mayHold() {
		i.failure, i.head = failed(i.failures, err), headOf(work.records)
	}
	a.w.logger.Error("a kept command fails", "topic", p.topic, "partition", p.number, "failures", i.failures, "error", err)
}
