package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"allocation/outbox"
)

// applier applies what waits in its partitions, one transaction after the other. While one commits,
// records gather for the next. It takes records from a partition's queue only after they are
// committed, so whatever fails is gathered again.
type applier struct {
	w           *Worker
	number      int
	budget      *outbox.Budget // of the rows that it hands over
	wake        chan struct{}  // has room for one
	partitions  []*partition   // guarded by Worker.mu
	turn        int            // the partition that goes first
	redriveTurn bool           // parked commands go first
	turnOfLong  bool           // partitions with much waiting go next, where there are others
	longRests   time.Time      // before that they do not
	short, long pace           // of partitions with little waiting, and with much
	last        work           // what was gathered last
	began       time.Time      // partitions rest until a multiple of spreadStep after it

	lingersUntil time.Time // before that, a few commands are not worth a transaction

	movedAt time.Time // guarded by Worker.mu: when it last had no work, or finished some
	outage  error     // guarded by Worker.mu: what keeps it from committing; nil where it committed since
}

func newApplier(w *Worker, number int, budget *outbox.Budget) *applier {
	pace := newPace(w.cfg.MaxBatch, firstCommands)
	if w.cfg.CatchUpTime > 0 {
		pace = newPace(w.cfg.MaxBatch, firstOfBacklog)
		pace.quickly = unnoticed
	}
	now := time.Now()
	return &applier{
		w: w, number: number, budget: budget, wake: make(chan struct{}, 1), short: pace, long: pace, began: now, movedAt: now,
	}
}

func (a *applier) kick() { kick(a.wake) }

// run applies until stop ends; the transaction in flight then finishes, unless abort ends too.
func (a *applier) run(stop, abort context.Context) {
	for stop.Err() == nil {
		if a.budget.Wait(stop) != nil {
			return
		}
		work, wait := a.gather(time.Now())
		if work == nil {
			sleepUntilKicked(stop, a.wake, wait)
			continue
		}
		a.do(stop, abort, work)
	}
}

// do applies what was gathered.
func (a *applier) do(stop, abort context.Context, work *work) {
	ok, err := true, error(nil)
	switch {
	case work.redrive && work.again == nil:
		ok, err = a.readParked(abort, work)
	case work.probe:
		ok, err = a.probe(abort, work)
	}
	if !ok && err == nil {
		a.release(work)
		return
	}
	if err == nil {
		err = a.apply(abort, work)
	}
	a.finish(stop, work, err)
}

// errPanicked is a mistake of this program that a command led to.
var errPanicked = errors.New("panicked")

// apply has the transaction applied. The rows go to the relay in the order of commits, which is the
// order of this applier's transactions.
func (a *applier) apply(ctx context.Context, work *work) (err error) {
	var spans *transactionSpans
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanicked, p, debug.Stack())
		}
		spans.end(work, err)
	}()
	work.decode(a.w.cfg.WaitForNewer)
	work.transaction.LockFirst = work.pace.locksFirst(len(work.transaction.Commands))
	start := time.Now()
	ctx, spans = a.w.spans.begin(ctx, work, start)
	applied, err := a.w.store.Apply(ctx, work.transaction)
	work.took = time.Since(start)
	if err == nil {
		a.linger(start, start.Add(work.took))
		work.pace.measured(sample{len(applied.Outcomes), work.took})
		a.w.metrics.Transaction.Observe(work.took.Seconds())
		a.w.metrics.countTransaction(&work.transaction, applied.Outcomes)
	}
	work.applied = applied
	return err
}

// finish draws the consequences of a transaction.
func (a *applier) finish(stop context.Context, work *work, err error) {
	var fenced *FencedError
	var locked *LockedError
	switch {
	case err == nil:
		a.committed(work)
	case errors.As(err, &locked):
		a.retry("locked")
		a.standAside(work, locked)
	case errors.As(err, &fenced):
		a.w.metrics.Fenced.Add(float64(len(fenced.Sources)))
		a.w.logger.Warn("fenced: another worker claimed partitions, an operator decided about them, or a failover lost commits", "sources", fenced.Sources)
		a.requestReclaim(work, fenced)
	case errors.Is(err, ErrUnknownOutcome):
		a.retry("unknown_outcome")
		a.w.logger.Warn("the outcome of a transaction is unknown: claiming again", "error", err)
		a.requestReclaim(work, nil)
	case errors.Is(err, ErrConflict):
		a.retry("conflict")
		a.release(work)
		if left := work.pace.conflicted(len(work.transaction.Commands)); !work.long {
			pause(stop, left)
		} else {
			a.rest(time.Now(), work.took)
		}
	case errors.Is(err, ErrOutage):
		a.retry("outage")
		a.w.throttled.warn("transaction failed, waiting for Postgres", err)
		a.suffers(err)
		a.release(work)
		pause(stop, work.pace.outage())
	case stop.Err() != nil:
		a.release(work)
	default:
		a.isolate(work, err)
	}
}

// suffers notes an outage, for those who ask why nothing moves.
func (a *applier) suffers(err error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.outage = err
}

func (a *applier) retry(reason string) { a.w.metrics.Retries.WithLabelValues("postgres", reason).Inc() }

// committed hands the rows to the relay and drops the records.
func (a *applier) committed(work *work) {
	work.pace.committed(len(work.records))
	a.w.sayNewer(work)
	w, now := a.w, time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures.count(work.applied.Outcomes, work.fails != "")
	if work.fails != "" {
		kick(w.redrive)
	}
	if work.fails != "" && (work.probe || work.redrive) { // else the log has it
		w.logger.With(work.aboutFirst().LogAttrs()...).Error("command became a dead letter, and later ones of its key wait for it", "reason", work.fails)
	}
	work.cut()
	for i, p := range work.partitions {
		p.busy = false
		if p.state == running { // else its rows are in the table, and the next claim drains them
			w.relay.Publish(p.claim.Source.ID, work.applied.Rows[i])
			work.moved(i, now)
			w.passLock(p)
			w.flow(p)
			if p.toSeek() {
				w.interruptPoll()
			}
		}
	}
	a.caughtUp(work, now)
	a.movedAt, a.outage = now, nil
	w.freed.Broadcast()
}

// moved moves a partition after a transaction. The caller holds mu.
func (w *work) moved(i int, now time.Time) {
	p, move, rows := w.partitions[i], &w.transaction.Moves[i], len(w.applied.Rows[i])
	if w.redrive {
		p.redriven(rows, now)
		w.isolation().applied(len(w.records))
		w.again.end()
	} else {
		p.applied(w.taken[i], move.To, rows, now)
	}
	p.published.saved = max(p.published.saved, move.Published)
}

// cut leaves out what the transaction did not take. The caller holds mu.
func (w *work) cut() {
	n := len(w.applied.Outcomes)
	if n == len(w.transaction.Commands) {
		return
	}
	w.transaction, w.records = w.transaction.Cut(n), w.records[:n]
	for i, p := range w.partitions {
		w.taken[i] = p.queue.before(w.taken[i], w.transaction.Moves[i].To)
	}
}

// release lets go of a transaction that was not committed.
func (a *applier) release(work *work) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	work.release()
	a.w.freed.Broadcast()
}

// release lets go of the partitions of a transaction that was not committed. The caller holds mu.
func (w *work) release() {
	for _, p := range w.partitions {
		p.busy = false
		p.probe.ended = p.probe.ended || w.probe
		p.redrive.ended = p.redrive.ended || w.redrive && w.again == nil
	}
	w.again.end()
}

// requestReclaim hands partitions to the reclaimer: those that were fenced, or all where it is not
// known.
func (a *applier) requestReclaim(work *work, fenced *FencedError) {
	now := time.Now()
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	work.release()
	for _, p := range work.partitions {
		if fenced == nil {
			a.w.requestReclaim(p, time.Time{})
		} else if len(fenced.Sources) == 0 || slices.Contains(fenced.Sources, p.claim.Source.ID) {
			a.w.requestReclaim(p, now)
		}
	}
	a.w.freed.Broadcast()
}

// isolate looks for the command at fault. Alone, it is tried again with backoff while the others go
// on.
func (a *applier) isolate(work *work, err error) {
	a.retry("fault")
	a.release(work)
	now := time.Now()
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	switch p := work.partitions[0]; {
	case work.redrive:
		if i := work.isolation(); i.failed(work.records, err, a.w.failures.mayHold(), now) {
			a.w.logger.With(work.aboutFirst().LogAttrs()...).Error("a parked command fails, retrying", "failures", i.failures, "error", err)
		}
	case work.pace.failed(len(work.records)):
		a.w.failedAlone(p, work.aboutFirst(), err, now)
	}
}
