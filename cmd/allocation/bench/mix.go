package bench

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// mix has all commands, in shares as a warehouse might see them, and knows each product well enough
// to say what follows from them.
type mix struct {
	orders   Orders
	random   *rand.Rand
	products []*stocked
	made     int
	last     *message // for repeats
	change   Lines
}

// stocked is a product of a mix: a main batch in the warehouse with ample stock, and batches to
// come that can take what the main one loses.
type stocked struct {
	sku       string
	open      []mixedLine // on the main batch, in placed order
	allocated int         // the quantities of them
	spare     int         // for lines on batches to come, at least
	batches   int         // to come
	dates     int         // given to them: no date is given twice
	revision  int
	shrunk    bool // the main batch has no stock: the next command brings some
}

type mixedLine struct {
	order string
	qty   int
}

func newMix(random *rand.Rand, p Plan) *mix {
	m := &mix{random: random, orders: p.Orders, products: make([]*stocked, p.Products)}
	for i := range m.products {
		m.products[i] = &stocked{sku: skuOf(i)}
	}
	return m
}

// The shares of commands, in a hundred. What is left are new lines.
const (
	shareRepeat     = 5
	shareDispatch   = 20
	shareDeallocate = 8
	shareQuantity   = 4 // to less; each is followed by one to more
	shareCreate     = 3
	shareEta        = 2
)

func (m *mix) next() message {
	dice := m.random.IntN(100)
	if dice < shareRepeat && m.last != nil {
		c := *m.last
		c.Events, c.Repeat = 0, true
		return c
	}
	c := m.command(m.products[m.random.IntN(len(m.products))], dice-shareRepeat)
	c.Number = m.made
	m.made++
	m.last = &c
	return c
}

// command makes the command that the dice say, or a new line where the product is not in the state
// for it.
func (m *mix) command(s *stocked, dice int) message {
	shares := []struct {
		share int
		can   bool
		make  func(*stocked) message
	}{
		{shareDispatch, len(s.open) > 0, m.dispatch},
		{shareDeallocate, len(s.open) > 0, m.deallocate},
		{shareQuantity, len(s.open) > 0 && s.spare >= maxLineQty, m.shrink},
		{shareCreate, true, m.create},
		{shareEta, s.batches > 0, m.eta},
	}
	if s.shrunk {
		return m.raise(s)
	}
	for _, c := range shares {
		if dice >= 0 && dice < c.share && c.can {
			return c.make(s)
		}
		dice -= c.share
	}
	return m.allocate(s)
}

func (m *mix) allocate(s *stocked) message {
	l := mixedLine{m.orders.orderID(m.made), 1 + m.random.IntN(maxLineQty)}
	s.open = append(s.open, l)
	s.allocated += l.qty
	m.change.Allocated++
	return message{Type: allocate, SKU: s.sku, Data: allocateData(l.order, s.sku, l.qty), Events: 1}
}

// dispatch sends the line that was placed first.
func (m *mix) dispatch(s *stocked) message {
	l := s.open[0]
	s.open = s.open[1:]
	s.allocated -= l.qty
	m.change.Allocated--
	m.change.Dispatched++
	return message{Type: dispatch, SKU: s.sku, Data: lineData(l, s.sku), Events: 1}
}

// deallocate cancels the line that was placed last.
func (m *mix) deallocate(s *stocked) message {
	l := s.takeLast()
	m.change.Allocated--
	m.change.Cancelled++
	return message{Type: deallocate, SKU: s.sku, Data: lineData(l, s.sku), Events: 1}
}

// shrink takes so much from the main batch that its last line must move to a batch to come, where
// this program forgets it.
func (m *mix) shrink(s *stocked) message {
	qty := s.allocated - 1
	s.takeLast()
	s.spare -= maxLineQty
	s.shrunk = true
	return s.quantity(qty, 3)
}

// raise gives the main batch ample stock again.
func (m *mix) raise(s *stocked) message {
	const ample = 900_000_000
	s.shrunk = false
	return s.quantity(ample, 1)
}

func (s *stocked) quantity(qty, events int) message {
	s.revision++
	data := fmt.Sprintf(`{"batchref":"%s","sku":"%s","qty":%d,"revision":%d}`, mainBatch(s.sku), s.sku, qty, s.revision)
	return message{Type: changeQuantity, SKU: s.sku, Data: data, Events: events}
}

// create announces a batch.
func (m *mix) create(s *stocked) message {
	const qty = 1000
	s.batches++
	s.spare += qty - maxLineQty // less what no line may fit into
	data := fmt.Sprintf(`{"ref":"%s","sku":"%s","qty":%d,"eta":"%s"}`, s.laterBatch(), s.sku, qty, s.date())
	return message{Type: createBatch, SKU: s.sku, Data: data, Events: 1}
}

// eta puts off the batch that was announced last.
func (m *mix) eta(s *stocked) message {
	data := fmt.Sprintf(`{"batchref":"%s","sku":"%s","eta":"%s"}`, s.laterBatch(), s.sku, s.date())
	return message{Type: changeEta, SKU: s.sku, Data: data, Events: 1}
}

func (m *mix) lines() Lines { return m.change }

func (s *stocked) takeLast() mixedLine {
	l := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	s.allocated -= l.qty
	return l
}

func (s *stocked) laterBatch() string { return fmt.Sprintf("%s-later-%d", s.sku, s.batches) }

func (s *stocked) date() string {
	s.dates++
	return time.Date(2030, 1, s.dates, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

func lineData(l mixedLine, sku string) string {
	return `{"orderid":"` + l.order + `","sku":"` + sku + `"}`
}
