package bench

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// round are the commands of a product, over and over, in shares as a warehouse might see them. Its
// lines are of one piece.
var round = []func(s *stocked, order string) message{
	(*stocked).announce, (*stocked).place, (*stocked).place, (*stocked).place, (*stocked).dispatch, (*stocked).place, (*stocked).place,
	(*stocked).dispatch, (*stocked).place, (*stocked).postpone, (*stocked).place, (*stocked).cancel, (*stocked).place, (*stocked).dispatch,
	(*stocked).place, (*stocked).shrink, (*stocked).refill, (*stocked).place, (*stocked).place, (*stocked).dispatch,
}

// newMix has all commands, of products that are each somewhere in their round; one in twenty is the
// command before once more.
func newMix(random *rand.Rand, p plan) workload {
	products := make([]stocked, p.products)
	for i := range products {
		products[i].sku = skuOf(i)
	}
	var last message
	return func(number int) message {
		if last.Type != "" && random.IntN(20) == 0 {
			last.Events, last.Change, last.Repeat = 0, Lines{}, true
			return last
		}
		s := &products[random.IntN(len(products))]
		last = round[s.made%len(round)](s, p.orders.id(number))
		s.made++
		return last
	}
}

// stocked is a product of a mix: a main batch in the warehouse, and batches to come, which can take
// what the main one loses.
type stocked struct {
	sku      string
	made     int      // commands
	open     []string // the orders of lines on the main batch, in placed order
	batches  int      // to come
	dates    int      // given to them: no date is given twice
	revision int
}

func (s *stocked) place(order string) message {
	s.open = append(s.open, order)
	return newLine(order, s.sku, 1)
}

// dispatch sends the line that was placed first.
func (s *stocked) dispatch(string) message {
	first := s.open[0]
	s.open = s.open[1:]
	return endOf(dispatch, first, s.sku)
}

// cancel cancels the line that was placed last.
func (s *stocked) cancel(string) message { return endOf(deallocate, s.takeLast(), s.sku) }

// shrink takes so much from the main batch that its last line must move to a batch to come, where
// this program forgets it.
func (s *stocked) shrink(string) message {
	s.takeLast()
	s.revision++
	return newQuantity(mainBatch(s.sku), s.sku, len(s.open), s.revision, 3)
}

// refill gives the main batch ample stock again.
func (s *stocked) refill(string) message {
	s.revision++
	return newQuantity(mainBatch(s.sku), s.sku, ample, s.revision, 1)
}

func (s *stocked) announce(string) message {
	const qty = 1000
	s.batches++
	return newBatch(s.laterBatch(), s.sku, qty, s.date())
}

// postpone puts off the batch that was announced last.
func (s *stocked) postpone(string) message {
	data := fmt.Sprintf(`{"batchref":"%s","sku":"%s","eta":"%s"}`, s.laterBatch(), s.sku, s.date())
	return message{Type: changeEta, SKU: s.sku, Data: data, Events: 1}
}

func (s *stocked) takeLast() string {
	last := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	return last
}

func (s *stocked) laterBatch() string { return fmt.Sprintf("%s-later-%d", s.sku, s.batches) }

func (s *stocked) date() string {
	s.dates++
	return time.Date(2030, 1, s.dates, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}
