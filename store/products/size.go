package products

import (
	"errors"

	"allocation/domain/product"
)

// size bounds what a transaction does, which is not to be seen from its commands: one that moves
// fifty thousand lines is as small as any other. What counts is events, because everything else
// that a command makes or writes comes with them: lines, outbox rows, values.
//
// Where the events are enough, the batch is cut behind the last command that was decided, and the
// rest goes into the next transaction. A command that waited for a load is decided after later
// ones; where a cut behind these would be too late, the decisions are made anew for fewer commands.
// A single command has as many events as it has.
type size struct {
	events    int
	last      int // the last command that was decided, by its place in the batch
	cut       int // how many commands the batch has
	whole     int // and had in the beginning
	loads     int
	postponed bool // a command asks in the next round again
}

const (
	maxEvents  = 20_000 // a batch of usual commands has far fewer
	farTooMany = 2 * maxEvents
)

// errTooMuch says that the decisions should be made anew, for as many commands as fit.
var errTooMuch = errors.New("too much for one transaction")

func newSize(commands int) size { return size{last: -1, cut: commands, whole: commands} }

// add counts a command that was decided.
func (s *size) add(command, events int) {
	s.events += events
	s.last = max(s.last, command)
	if s.events > maxEvents && !s.full() {
		s.cut = s.last + 1
	}
}

// full is whether the batch is cut.
func (s *size) full() bool { return s.cut < s.whole }

// tooMuch is whether commands are still to be decided on top of far too many events, and fewer
// would do.
func (s *size) tooMuch(results []product.Result, undecided int) bool {
	return s.events > farTooMany && undecided > 0 && s.fit(results) < s.cut
}

// fit is how many of the first commands have enough events.
func (s *size) fit(results []product.Result) int {
	events := 0
	for i := range s.cut {
		if events += len(results[i].Events); events > maxEvents {
			return i + 1
		}
	}
	return s.cut
}

// Lines that batches must release are loaded so many at once. Commands behind the cut need none;
// those before it get more with each load.
const (
	firstLines  = maxEvents
	linesFactor = 4
)

func (s *size) linesAtOnce() int32 {
	lines := firstLines
	for range min(s.loads, 8) {
		lines *= linesFactor
	}
	s.loads++
	return clamp(lines)
}

// manyWaiting is how many lines of one quantity are loaded for one product at a time.
const manyWaiting = 4096

// postpones is whether a command should ask again later, because another one of the same round
// asks for very many waiting lines of its product already.
func (s *size) postpones(need, more *product.Need) bool {
	if !asksForMany(more) || !asksForMany(need) {
		return false
	}
	s.postponed = true
	return true
}

func asksForMany(n *product.Need) bool {
	for _, p := range n.Products {
		if p.PerQty > manyWaiting {
			return true
		}
	}
	return false
}
