package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// redrive is about the commands that are parked for a partition: dead letters on which an operator
// decided, and what waits behind held keys. The partition's applier applies it in transactions of
// its own, in turn with the partition's records.
type redrive struct {
	backlog bool // there is something to apply
	held    int  // keys that dead letters of this partition hold

	parked       isolation
	redriveEnded bool // the last attempt ended, with an error

	again *reread  // a batch of records that is read again; nil: none
	begun LetterID // the last that was
}

// isolation looks for the one among parked commands that fails.
type isolation struct {
	limit    int        // most commands of the next transaction
	suspects int        // commands of which one is at fault
	failures int        // in a row, of one alone
	failure  string     // why it is held again; empty: it is not
	head     parkedHead // which it is
	at       time.Time  // not before this is it tried again
}

// parkedHead names a parked command by where it came from.
type parkedHead struct {
	source int32
	offset int64
}

func headOf(records []record) (h parkedHead) {
	if len(records) > 0 {
		h = parkedHead{records[0].parked.From.ID, records[0].Offset}
	}
	return h
}

const (
	maxRedrive   = 500 // commands of a transaction
	redriveEvery = 5 * time.Second

	// A transaction of parked commands that was begun so often and never ended is taken one by one;
	// one command that was, is held again.
	redriveAlone = 3
	redriveFatal = 6
)

// runRedriver looks for parked commands that may be applied.
func (w *Worker) runRedriver(stop context.Context) {
	w.metrics.redriver.Begin()
	for {
		w.lookForParked(stop)
		if !sleepUntilKicked(stop, w.redrive, redriveEvery) {
			return
		}
	}
}

func (w *Worker) lookForParked(ctx context.Context) {
	sources := w.sources()
	if len(sources) == 0 {
		w.setBacklogs(nil)
		w.metrics.redriver.Well()
		return
	}
	backlogs, err := w.store.Backlogs(ctx, sources)
	w.metrics.redriver.Ill(err)
	if err != nil {
		if ctx.Err() == nil {
			w.metrics.Retries.WithLabelValues("postgres", "parked").Inc()
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
func (w *Worker) decided() { kick(w.redrive) }

// redrivePartition is a partition with parked commands to apply; without any that is due, it says
// how long to wait at most. The caller holds mu.
func (a *applier) redrivePartition(now time.Time) (due *partition, wait time.Duration) {
	for i := range a.partitions {
		p := a.partitions[(i+a.turn)%len(a.partitions)]
		if p.state != running || p.busy || !p.backlog && !p.again.isReady() {
			continue
		}
		left := p.nextRedrive().Sub(now)
		if left <= 0 {
			return p, 0
		}
		wait = sooner(wait, left)
	}
	return nil, wait
}

// gatherRedrive makes a transaction of a partition, whose commands are read later. The caller holds
// mu.
func (a *applier) gatherRedrive(p *partition) *work {
	a.turn++
	p.busy = true
	row, _ := a.w.relay.Published(p.claim.Source.ID)
	work := &work{
		redrive: true, partitions: []*partition{p}, taken: []int{0}, fails: p.parked.failure,
		transaction: Transaction{Applier: a.number, Moves: []PositionMove{{
			Source: p.claim.Source, Token: p.claim.Token, From: p.next, To: p.next, NextRow: p.nextRow, Published: max(row, p.saved),
		}}},
	}
	if p.again.isReady() {
		p.again.give(work)
	}
	return work
}

// nextRedrive is when the partition's next parked command may be tried. The caller holds mu.
func (p *partition) nextRedrive() time.Time {
	if p.again.isReady() {
		return p.again.at
	}
	return p.parked.at
}

// readParked reads parked commands. The first result is false where there are none left.
func (a *applier) readParked(ctx context.Context, work *work) (ok bool, err error) {
	p := work.partitions[0]
	most := max(1, p.parked.limit)
	batch, err := a.w.store.NextRedrive(ctx, p.claim.Source.ID, most, p.redriveEnded)
	if err != nil {
		return false, err
	}
	if batch.Attempts > redriveAlone && len(batch.Records) > 1 {
		batch.Records, batch.Free = batch.Records[:1], ""
	}
	for i := range batch.Records {
		work.records = append(work.records, a.w.recordOf(&batch.Records[i]))
	}
	if headOf(work.records) != p.parked.head {
		work.fails = "" // an operator decided about another that comes first
	}
	if batch.Attempts > redriveFatal && len(batch.Records) == 1 && work.fails == "" {
		work.fails = fatal(batch.Attempts)
	}
	if batch.Free != "" && work.fails == "" {
		work.transaction.Free = []string{batch.Free}
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	p.redriveEnded = false
	p.backlog = !batch.Empty()
	return p.backlog, nil
}

// recordOf makes a record of a parked command, as if it had just been fetched.
func (w *Worker) recordOf(r *ParkedRecord) record {
	fetched := &kgo.Record{Key: r.Key, Value: r.Value, Offset: r.Offset, Timestamp: time.UnixMilli(r.Time)}
	for _, h := range r.Headers {
		fetched.Headers = append(fetched.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return record{Record: fetched, topic: w.topic(r.From.Topic), parked: &r.Parked}
}

// fatal says for a dead letter that a command ends its worker.
func fatal(attempts int) string {
	return fmt.Sprintf("its worker's process ended %d times while it was applied", attempts-1)
}

// isolation is the one that a transaction of parked commands belongs to. The caller holds mu.
func (w *work) isolation() *isolation {
	if w.again != nil {
		return &w.again.isolation
	}
	return &w.partitions[0].parked
}

// applied notes that so many parked commands were applied.
func (i *isolation) applied(n int) {
	*i = isolation{limit: max(1, i.limit), suspects: max(0, i.suspects-n), head: i.head}
	if i.suspects == 0 {
		i.limit = min(2*i.limit, maxRedrive)
	}
}

// isolateParked looks for the parked command at fault, as isolate does. One that fails alone is
// held, as if it had just come. The caller holds mu.
func (a *applier) isolateParked(work *work, err error) {
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
	a.w.logger.Error("a parked command fails", "topic", p.topic, "partition", p.number, "failures", i.failures, "error", err)
}
