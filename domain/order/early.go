package order

import (
	"cmp"
	"slices"
	"time"
)

// EarlyFact is a fact about a line that no command has added yet, and the time of its record.
//
// After a database lost commits, commands and facts are read again. They come by different
// partitions, so stock's answer may come before the AddToCart. Stock does not answer a second time,
// so the fact is kept until the line is there.
type EarlyFact struct {
	LineFact
	At time.Time
}

func (x *decider) lineOf(f LineFact) *Line {
	if x.Order == nil {
		return nil
	}
	return x.Order.line(f.SKU, f.LineID)
}

// hasEarly reports whether a fact about the line of another one is kept. What happens to a line
// later may have other causes than this service.
func (x *decider) hasEarly(f LineFact) bool {
	return slices.ContainsFunc(x.Early, func(e EarlyFact) bool { return e.SKU == f.SKU && e.LineID == f.LineID })
}

// repeatsEarly reports whether the fact is kept.
func (x *decider) repeatsEarly(f LineFact) bool {
	return slices.ContainsFunc(x.Early, func(e EarlyFact) bool { return e.compare(f) == 0 })
}

// compare orders facts about one order, and is 0 only for the same one.
func (f LineFact) compare(other LineFact) int {
	return cmp.Or(cmp.Compare(f.Sequence, other.Sequence), cmp.Compare(f.SKU, other.SKU), cmp.Compare(f.LineID, other.LineID), cmp.Compare(f.Kind, other.Kind))
}

// reviewEarly has an order reviewed of which facts are kept, where the line of one is there by now,
// or the order takes no more lines.
func (x *decider) reviewEarly(m Message) {
	switch m.(type) {
	case LineFact, ReviewOrder:
		return
	}
	if x.Order == nil || x.d.Refusal != nil {
		return
	}
	if slices.ContainsFunc(x.Early, func(e EarlyFact) bool { return x.Order.Phase != Cart || x.lineOf(e.LineFact) != nil }) {
		x.d.Orders = append(x.d.Orders, x.Order.ID)
	}
}

// takeEarly applies the facts whose lines are there by now. An order that is placed, or has ended,
// takes no more lines: stock takes back those that are missing.
func (x *decider) takeEarly() {
	slices.SortFunc(x.Early, func(a, b EarlyFact) int { return a.compare(b.LineFact) })
	at, early := x.at, x.Early
	x.Early = nil
	for _, f := range early {
		switch l := x.lineOf(f.LineFact); {
		case l == nil:
			x.early(f.LineFact, f.At)
		case f.isNew(l):
			x.at = f.At
			f.apply(x, l)
		}
	}
	x.at = at
}

// early keeps a fact about a line that is not there. Where the line cannot come any more, stock
// takes it back.
func (x *decider) early(f LineFact, at time.Time) {
	switch {
	case x.Order == nil || x.Order.Phase == Cart:
		x.Early = append(x.Early, EarlyFact{f, at})
	case f.Kind == Allocated || f.Kind == OutOfStock:
		x.ask(Deallocate, &Line{ID: f.LineID, SKU: f.SKU})
	}
}
