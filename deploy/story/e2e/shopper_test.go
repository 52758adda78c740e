package e2e

import (
	"fmt"
	"math/rand/v2"
)

// step is a command of a shopper.
type step struct {
	shopper, kind, id, data string
	pause                   int // how many commands the others send before it
}

// shopper decides what a customer does. All of it follows from the seed and the customer's number.
type shopper struct {
	*rand.Rand
	id    string
	skus  []string
	steps []step
}

// shop is all that a customer does: one order mostly, and up to five.
func shop(seed uint64, n int, skus []string) []step {
	s := &shopper{Rand: rand.New(rand.NewPCG(seed, uint64(n))), id: fmt.Sprint("c", n), skus: skus}
	orders := [...]int{1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5}[s.IntN(11)]
	for i := range orders {
		s.order(fmt.Sprint(s.id, ".", i+1))
	}
	return s.again()
}

// order fills a cart, and does something with it.
func (s *shopper) order(id string) {
	lines := 1 + s.IntN(5)
	skus := make([]string, lines)
	for i := range lines {
		skus[i] = s.add(id)
	}
	for i, sku := range skus {
		if s.IntN(10) == 0 {
			s.do("RemoveFromCart", id, fmt.Sprintf(`,"sku":%q,"lineid":"%d"`, sku, i+1))
		}
	}
	switch s.IntN(10) {
	case 0: // it is forgotten and expires, and may be wanted then
		if s.IntN(2) == 0 {
			s.pause(2000)
			s.do("PlaceOrder", id, "")
		}
		return
	case 1: // it was never wanted
		s.cancel(id)
		return
	}
	s.do("PlaceOrder", id, "")
	switch s.IntN(10) {
	case 0: // before anything happened
		s.cancel(id)
	case 1: // while it is ready, or waits
		s.pause(s.IntN(500))
		s.cancel(id)
	case 2: // too late, perhaps
		s.pause(1000 + s.IntN(1000))
		s.cancel(id)
	}
}

// add puts something into a cart, and gives the article: one in some tens there is none of, one in
// a hundred is so much that nobody has it, or that may not be asked for.
func (s *shopper) add(cart string) (sku string) {
	sku, qty := s.skus[s.IntN(len(s.skus))], 1+s.Int64N(5)
	switch s.IntN(200) {
	case 0, 1, 2:
		sku = "UNICORN"
	case 3:
		qty = 900_000_000
	case 4:
		qty = 5_000_000_000
	case 5:
		qty = 40
	}
	s.do("AddToCart", cart, fmt.Sprintf(`,"sku":%q,"qty":%d`, sku, qty))
	return sku
}

func (s *shopper) cancel(order string) {
	s.steps = append(s.steps, step{s.id, "CancelOrder", s.next(), fmt.Sprintf(`{"customerid":%q,"orderid":%q}`, s.id, order), s.IntN(20)})
}

func (s *shopper) do(kind, cart, more string) {
	s.steps = append(s.steps, step{s.id, kind, s.next(), fmt.Sprintf(`{"customerid":%q,"cartid":%q%s}`, s.id, cart, more), s.IntN(20)})
}

func (s *shopper) next() string { return fmt.Sprint(s.id, "-", len(s.steps)) }

// pause has the next command wait.
func (s *shopper) pause(others int) {
	s.steps = append(s.steps, step{shopper: s.id, pause: others})
}

// again are the steps with some that come twice: at once, or after all others.
func (s *shopper) again() (all []step) {
	var late []step
	for _, each := range s.steps {
		all = append(all, each)
		switch dice := s.IntN(25); {
		case each.kind == "":
		case dice == 0:
			all = append(all, each)
		case dice == 1:
			each.pause = s.IntN(500)
			late = append(late, each)
		}
	}
	return append(all, late...)
}
