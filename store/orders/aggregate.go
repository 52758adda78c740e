package orders

import (
	"cmp"
	"context"
	"time"

	"allocation/domain/order"
	"allocation/outbox"
	"allocation/store"
	"allocation/worker"
)

// aggregate decides the commands and facts of one transaction.
type aggregate struct {
	settings order.Settings

	messages []message
	loaded   *loaded
}

// message is a command or a fact, and what it came to.
type message struct {
	order.Message // nil where it is not to be decided
	keys          order.Keys
	keyOnly       bool // it is not to be decided: only its key is of interest
	decision      order.Decision
}

var _ store.Aggregate = (*aggregate)(nil)

// Begin reads the commands and facts, and names their customers and batches.
func (a *aggregate) Begin(tx *store.Tx) {
	a.messages, a.loaded = make([]message, tx.Len()), newLoaded()
	for i := range a.messages {
		m, c := &a.messages[i], tx.Command(i)
		switch {
		case tx.Decided(i):
			continue
		case tx.Fails(i):
			m.readFailed(c)
			m.keyOnly = true
		case tx.Newer(i):
			m.guess(c)
			m.keyOnly = true
		default:
			m.read(c)
		}
		switch {
		case m.Message != nil:
			tx.Name(i, keyOf(m.keys), cmp.Or(m.keys.OrderID, m.keys.Batch))
		case m.decision.Ignored:
			tx.Ignore(i)
		}
	}
}

// mostOutputs is how many events a transaction has before what comes next is left to another one: a
// ReviewBatch has a page of them.
const mostOutputs = 5_000

// Decide loads all that the commands and facts are about, and decides them in order, or as many of
// the first as one transaction should have.
func (a *aggregate) Decide(ctx context.Context, tx *store.Tx) error {
	a.cut(tx, a.mostReviews())
	q := a.ask()
	if tx.LockFirst() {
		if err := q.lock(ctx, tx); err != nil {
			return err
		}
	}
	if err := a.loaded.load(ctx, tx, q); err != nil {
		return err
	}
	a.cut(tx, a.loaded.whole(q, a.messages))
	outputs := 0
	for i := range a.messages {
		if a.messages[i].Message == nil {
			continue
		}
		// The load asked whether the keys are held, so none has to be asked about.
		if tx.Park(i, keyOf(a.messages[i].keys), "") != store.Free {
			continue
		}
		a.decide(tx, i)
		if outputs += a.outputs(i); outputs >= mostOutputs {
			a.cut(tx, i+1)
			break
		}
	}
	return nil
}

// mostReviews is how many messages have no more reviews of batches than may have a whole page each.
func (a *aggregate) mostReviews() int {
	reviews := 0
	for i := range a.messages {
		if _, ok := a.messages[i].Message.(order.ReviewBatch); ok {
			if reviews++; reviews > mostOutputs/order.ReviewPage {
				return i
			}
		}
	}
	return len(a.messages)
}

// cut leaves the messages from n on to the next transaction.
func (a *aggregate) cut(tx *store.Tx, n int) {
	if n < len(a.messages) {
		tx.Cut(n)
		a.messages = a.messages[:n]
	}
}

func (a *aggregate) decide(tx *store.Tx, i int) {
	m := &a.messages[i]
	state := &order.State{Batches: a.loaded.batches, OnBatch: a.loaded.pages[i]}
	if m.keys.CustomerID != "" {
		state.Customer, state.Order = &a.loaded.customerOf(m.keys.CustomerID).Customer, a.loaded.orders[m.keys.OrderID]
		state.Early = a.loaded.early[m.keys.OrderID]
	}
	m.decision = order.Decide(m.Message, state, timeOf(tx.Command(i)), a.settings)
	if state.Order != nil {
		a.loaded.orders[m.keys.OrderID] = state.Order
	}
	if len(state.Early) > 0 || len(a.loaded.early[m.keys.OrderID]) > 0 {
		a.loaded.early[m.keys.OrderID] = state.Early
	}
	if m.decision.Ignored {
		tx.Ignore(i)
	}
}

// timeOf is the time of a command's record, zero where that has none.
func timeOf(c *worker.Command) time.Time {
	if c.Cause.Time == outbox.NoTime {
		return time.Time{}
	}
	return time.UnixMilli(c.Cause.Time).UTC()
}

// Outcome tells what a command or a fact came to.
func (a *aggregate) Outcome(i int) (refusal *worker.Refusal, events int) {
	d := &a.messages[i].decision
	if r := d.Refusal; r != nil {
		refusal = &worker.Refusal{Reason: string(r.Reason), Message: r.Message}
	}
	return refusal, a.outputs(i)
}

// outputs is how many events a command has, with commands for stock and for this service.
func (a *aggregate) outputs(i int) int {
	d := &a.messages[i].decision
	n := len(d.Events) + len(d.Stock) + len(d.Orders)
	if d.Review != nil {
		n++
	}
	return n
}

// Done forgets everything.
func (a *aggregate) Done(error) { a.messages, a.loaded = nil, nil }
