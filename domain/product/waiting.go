package product

import (
	"math"
	"slices"
)

// waitingLines are the known lines of a product that wait, by quantity.
//
// A line that waits and is not known is of a quantity above reach, or of one in truncated and
// placed after its value there.
type waitingLines struct {
	known     int64
	classes   map[int64]*class
	sizes     []int64 // the quantities that have a class, ascending
	reach     int64
	truncated map[int64]int64
	// perQty is how many of each quantity to ask for next.
	perQty int
}

// class is the lines that wait for the same quantity. They can only be served in placed order.
type class struct {
	qty int64
	// lines may hold some that were cancelled since.
	lines heap[*line]
	// next is when the next line of the class was placed. If it is hidden, that line is not known,
	// and was placed later than that.
	next   int64
	hidden bool
}

func newWaitingLines() waitingLines {
	return waitingLines{classes: make(map[int64]*class), truncated: make(map[int64]int64), perQty: firstPerQty}
}

// insert adds a line that waits.
func (w *waitingLines) insert(l *line) {
	w.known++
	w.class(l.Qty).lines.push(l)
}

func (w *waitingLines) class(qty int64) *class {
	c := w.classes[qty]
	if c == nil {
		c = &class{qty: qty, lines: newHeap(placedFirst)}
		w.classes[qty] = c
		at, _ := slices.BinarySearch(w.sizes, qty)
		w.sizes = slices.Insert(w.sizes, at, qty)
	}
	return c
}

// learn adds what was told: of each quantity, the further of the two.
func (w *waitingLines) learn(reach int64, truncated map[int64]int64) {
	if len(truncated) > 0 {
		w.perQty = min(w.perQty*widen, 1<<24)
	}
	merged := make(map[int64]int64)
	for qty, through := range w.truncated {
		if through = max(through, told(qty, reach, truncated)); through < math.MaxInt64 {
			merged[qty] = through
		}
	}
	for qty, through := range truncated {
		if through = max(through, told(qty, w.reach, w.truncated)); through < math.MaxInt64 {
			merged[qty] = through
			w.class(qty)
		}
	}
	w.reach, w.truncated = max(w.reach, reach), merged
}

// through is until when the lines of this quantity are known, by when they were placed.
func (w *waitingLines) through(qty int64) int64 {
	return told(qty, w.reach, w.truncated)
}

func told(qty, reach int64, truncated map[int64]int64) int64 {
	if qty > reach {
		return 0
	}
	if through, ok := truncated[qty]; ok {
		return through
	}
	return math.MaxInt64
}

// candidates are the classes that stock can serve, those with the earliest placed line first. With
// all, every line that waits is known.
func (w *waitingLines) candidates(stock int64, all bool) *heap[*class] {
	candidates := newHeap(func(a, b *class) bool { return a.next < b.next })
	for _, qty := range w.sizes {
		if qty > stock {
			break
		}
		if c := w.classes[qty]; w.look(c, all) {
			candidates.push(c)
		}
	}
	return &candidates
}

// look finds the next line of a class. It reports whether there is one, or may be one.
func (w *waitingLines) look(c *class, all bool) bool {
	for c.lines.Len() > 0 && c.lines.top().State != Waiting {
		c.lines.pop()
	}
	through := int64(math.MaxInt64)
	if !all {
		through = w.through(c.qty)
	}
	c.next, c.hidden = through, through < math.MaxInt64
	if c.lines.Len() > 0 && c.lines.top().Placed <= through {
		c.next, c.hidden = c.lines.top().Placed, false
	}
	return c.lines.Len() > 0 || c.hidden
}
