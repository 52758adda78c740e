package product

import (
	"math"
	"slices"
)

// serving works out where lines go after stock has risen on one batch: the lines that it released,
// and the lines that wait. It changes only the lists of lines that it takes them from, and undo
// restores these.
type serving struct {
	product *Product
	// slots are the batches that lines may go to, in order of preference, with what is left of
	// each.
	slots []slot
	risen *slot
	// released are the lines that the batch released and that are not yet placed again, in placed
	// order.
	released []*line
	waiting  *heap[*class]
	all      bool
	// noFit is the least quantity that is known to fit nowhere.
	noFit int64
	moves []move
}

type slot struct {
	batch *batch
	left  int64
}

// move is where a line goes; to is nil if it waits. older tells that it waited before.
type move struct {
	line  *line
	to    *batch
	older bool
}

// serve works out where the released lines, in placed order, and the lines that wait go, if stock
// is what risen has available without the released ones. Lines that waited before and still do have
// no move.
//
// All other batches were offered to every line that waits before, and none could take any. So those
// are only served from risen, and other batches matter to the released lines only.
func (p *Product) serve(risen *batch, stock int64, released []*line) ([]move, *Need) {
	s := &serving{product: p, released: released, noFit: math.MaxInt64, all: p.unknownWaiting() == 0}
	if stock > p.waiting.reach && !s.all {
		return nil, s.needWaiting(stock)
	}
	s.fillSlots(risen, stock)
	s.waiting = p.waiting.candidates(stock, s.all)
	if need := s.run(); need != nil {
		s.undo()
		return nil, need
	}
	return s.moves, nil
}

// fillSlots puts risen, and for released lines all known open batches, in order of preference.
func (s *serving) fillSlots(risen *batch, stock int64) {
	at := 0
	if len(s.released) > 0 {
		for _, b := range s.product.open.list {
			if b != risen {
				s.slots = append(s.slots, slot{b, b.Available()})
			}
		}
		at, _ = slices.BinarySearchFunc(s.slots, risen, func(x slot, y *batch) int {
			return ComparePreference(&x.batch.Batch, &y.Batch)
		})
	}
	s.slots = slices.Insert(s.slots, at, slot{risen, stock})
	s.risen = &s.slots[at]
}

// run serves one line after the other in placed order.
func (s *serving) run() *Need {
	for {
		c := s.nextClass()
		var need *Need
		switch {
		case len(s.released) > 0 && (c == nil || s.released[0].Placed <= c.next):
			need = s.placeReleased()
		case c == nil:
			return nil
		case c.hidden:
			need = s.needWaiting(s.risen.left)
		default:
			s.placeWaiting(c)
		}
		if need != nil {
			return need
		}
	}
}

// nextClass is the class whose turn it is, of those that risen can serve; nil if there is none.
func (s *serving) nextClass() *class {
	for s.waiting.Len() > 0 {
		if c := s.waiting.top(); c.qty <= s.risen.left {
			return c
		}
		s.waiting.pop()
	}
	return nil
}

func (s *serving) placeWaiting(c *class) {
	s.waiting.pop()
	s.moves = append(s.moves, move{line: c.lines.pop(), to: s.risen.batch, older: true})
	s.risen.left -= c.qty
	if s.product.waiting.look(c, s.all) {
		s.waiting.push(c)
	}
}

func (s *serving) placeReleased() *Need {
	l := s.released[0]
	to, need := s.firstFit(l.Qty)
	if need == nil {
		s.released = s.released[1:]
		s.moves = append(s.moves, move{line: l, to: to})
	}
	return need
}

// firstFit takes qty from the first batch that has it; nil if none has.
func (s *serving) firstFit(qty int64) (*batch, *Need) {
	if qty >= s.noFit {
		return nil, nil
	}
	open := &s.product.open
	for i := range s.slots {
		if slot := &s.slots[i]; slot.left >= qty {
			if !open.covers(slot.batch, qty) {
				return nil, s.needOpen(qty)
			}
			slot.left -= qty
			return slot.batch, nil
		}
	}
	if qty <= open.rest {
		return nil, s.needOpen(qty)
	}
	s.noFit = qty
	return nil, nil
}

// undo gives back the lines that were taken from the waiting ones.
func (s *serving) undo() {
	for _, m := range s.moves {
		if m.older {
			s.product.waiting.class(m.line.Qty).lines.push(m.line)
		}
	}
}

// needWaiting asks for the waiting lines that stock can serve, rounded up so that a row of commands
// does not ask for a little more each time.
func (s *serving) needWaiting(stock int64) *Need {
	reach := int64(1)
	for reach < stock {
		reach *= 4
	}
	need := NewNeed()
	*need.product(s.product.SKU) = WindowNeed{
		Reach:  max(min(reach, MaxQuantity), s.product.waiting.reach),
		PerQty: s.product.waiting.perQty,
	}
	return need
}

// needOpen asks for batches that have qty first, which tells at once where none has; then for more
// batches of any size, for other released lines have other quantities.
func (s *serving) needOpen(qty int64) *Need {
	if open := &s.product.open; len(open.windows) > 1 || open.rest < math.MaxInt64 {
		qty = 1
	}
	return needOpen(s.product, qty)
}

// needOpen asks for the first open batches, or, where they are known, for the first that have qty.
func needOpen(p *Product, qty int64) *Need {
	if !p.open.learned() {
		qty = 1
	}
	need := NewNeed()
	need.open(p.SKU, p.open.next(qty))
	if qty > 1 {
		need.Products[p.SKU].Least = qty
	}
	return need
}
