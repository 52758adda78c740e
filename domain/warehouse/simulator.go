package warehouse

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Simulator plays the people of a warehouse: goods are announced and arrive, some are damaged, some
// are counted. What it decides at a step follows from the seed, the step and the ledger alone.
type Simulator struct {
	Seed     uint64
	Articles []string
	Stock    int64 // of an article, how much there should be that nobody has been given
}

// Task is what a simulator has the warehouse do.
type Task struct {
	Name string
	Data
}

const (
	burst      = 20 // steps that come at once
	burstEvery = 30 // of so many times one is a burst
	mostDue    = 5  // shipments of an article that have not arrived
)

// Steps is how many steps come at once, from a step on.
func (s *Simulator) Steps(from int64) int64 {
	if s.random("steps", from).IntN(burstEvery) == 0 {
		return burst
	}
	return 1
}

// Article is the one that a step is about.
func (s *Simulator) Article(step int64) string {
	return s.Articles[s.random("article", step).IntN(len(s.Articles))]
}

// Next is what happens to an article at a step; nil: nothing.
func (s *Simulator) Next(step int64, sku string, l *Ledger) *Task {
	r := s.random("task", step)
	due, there := l.parts()
	dice := r.IntN(12)
	switch {
	case len(due) > 0 && (dice < 5 || len(due) == mostDue):
		return &Task{"ReceiveShipment", Data{SKU: sku, Shipment: due[0].Shipment}}
	case l.Free() < s.Stock && len(due) < mostDue:
		return s.announce(sku, l.Last+1)
	case len(there) == 0:
		return nil
	}
	b := there[r.IntN(len(there))]
	of := Data{SKU: sku, Shipment: b.Shipment, Report: fmt.Sprintf("%d.%d", s.Seed, step)}
	switch {
	case dice == 6: // a shelf falls
		return &Task{"ReportDamage", of.with((b.Shelf() + 1) / 2)}
	case dice <= 8:
		return &Task{"ReportDamage", of.with(1 + r.Int64N(1+b.Shelf()/10))}
	case dice == 9:
		return &Task{"CountBatch", of.with(max(0, b.Shelf()-r.Int64N(3)))}
	case dice == 10:
		return &Task{"CountBatch", of.with(b.Shelf() + r.Int64N(1+b.Lost))}
	}
	return nil
}

// announce is a shipment, which is the same whenever it is announced: so again it has no effect.
func (s *Simulator) announce(sku string, shipment int64) *Task {
	r := s.random("shipment of "+sku, shipment)
	qty := s.Stock/4 + 1 + r.Int64N(s.Stock/2+1)
	eta := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(shipment%3000)).Format(time.DateOnly)
	return &Task{"AnnounceShipment", Data{SKU: sku, Shipment: shipment, Qty: &qty, ETA: eta}}
}

func (d Data) with(qty int64) Data {
	d.Qty = &qty
	return d
}

// parts are the batches that are due, and those that have something on the shelf.
func (l *Ledger) parts() (due, there []*Batch) {
	for i := range l.Batches {
		switch b := &l.Batches[i]; {
		case !b.Arrived:
			due = append(due, b)
		case b.Shelf() > 0:
			there = append(there, b)
		}
	}
	return due, there
}

// random gives the same numbers for the same seed, question and step.
func (s *Simulator) random(question string, step int64) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(question))                             // it never fails
	return rand.New(rand.NewPCG(s.Seed^h.Sum64(), uint64(step))) //nolint:gosec // a bit pattern
}
