package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// redriveEvery is how often parked commands are looked for that nobody told of.
const redriveEvery = 5 * time.Second

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
	held, newer := 0, 0
	for _, p := range w.partitions {
		b := backlogs[p.claim.Source.ID]
		w.readAgain(p, b.Again)
		p.redrive.held = b.Held
		held += b.Held
		newer += b.Newer
		if b.Work && !p.redrive.backlog {
			p.redrive.backlog = true
			p.applier.kick()
		}
	}
	w.metrics.HeldKeys.Set(float64(held))
	w.metrics.NewerKeys.Set(float64(newer))
}

// decided hears that an operator decided something.
func (w *Worker) decided() { kick(w.redrive) }

// dueRedrive is a partition with parked commands to apply; without any that is due, it says how
// long to wait at most.
func (a *applier) dueRedrive(now time.Time) (due *partition, wait time.Duration) {
	for i := range a.partitions {
		p := a.partitions[(i+a.turn)%len(a.partitions)]
		if p.state != running || p.busy || !p.redrive.due() {
			continue
		}
		left := p.redrive.next().at.Sub(now)
		if left <= 0 {
			return p, 0
		}
		wait = sooner(wait, left)
	}
	return nil, wait
}

// pickRedrive makes a transaction of a partition, whose commands are read later.
func (a *applier) pickRedrive(p *partition) *work {
	a.turn++
	p.busy = true
	work := &work{redrive: true, pace: &a.short, fails: p.redrive.parked.failure, transaction: Transaction{Applier: a.number}}
	work.add(p, 0, PositionMove{Source: p.claim.Source, Token: p.claim.Token, From: p.next, To: p.next, NextRow: p.published.nextRow})
	if p.redrive.again.isReady() {
		p.redrive.again.give(work)
	}
	return work
}

// readParked reads parked commands. The first result is false where there are none left.
func (a *applier) readParked(ctx context.Context, work *work) (ok bool, err error) {
	p := work.partitions[0]
	most := max(1, p.redrive.parked.limit)
	batch, err := a.w.store.NextRedrive(ctx, p.claim.Source.ID, most, p.redrive.ended)
	if err != nil {
		return false, err
	}
	if batch.Attempts > redriveAlone && len(batch.Records) > 1 {
		batch.Records, batch.Free = batch.Records[:1], ""
	}
	for i := range batch.Records {
		work.records = append(work.records, a.w.recordOf(&batch.Records[i]))
	}
	if headOf(work.records) != p.redrive.parked.head {
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
	p.redrive.ended = false
	p.redrive.backlog = !batch.Empty()
	return p.redrive.backlog, nil
}

// recordOf makes a record of a parked command, as if it had just been fetched.
func (w *Worker) recordOf(r *ParkedRecord) record {
	fetched := &kgo.Record{Key: r.Key, Value: r.Value, Headers: r.Headers, Offset: r.Offset, Timestamp: time.UnixMilli(r.Time)}
	return record{Record: fetched, types: w.typesOfParked(r.From.Topic, fetched), parked: &r.Parked}
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
	return &w.partitions[0].redrive.parked
}
