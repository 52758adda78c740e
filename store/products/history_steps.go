package products

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"allocation/domain/incident"
	"allocation/domain/product"
	"allocation/store"
)

// step is a command of a history.
type step struct {
	from, to int               // its events
	command  *incident.Command // nil: it is made of its events; else it has none to read
	source   int32             // whose row its first one is; 0: it has none
	row      int64
	offset   int64      // of a command without rows: it comes before the row
	at       *time.Time // when it was committed, or nearly so
	position store.RecordID
}

// readRefused makes steps of dead letters, and names the lines that they are about.
func (h *History) readRefused(refusals []store.KeyRefusal) (refused []step, lines []product.LineID) {
	for i := range refusals {
		r := &refusals[i]
		decoded, refusal := product.DecodeCommand(r.Type, r.Data)
		unread := r.Reason == string(product.ReasonMalformed) || r.Reason == string(product.ReasonUnknownType)
		event := r.EventType != "" || r.Type != allocateName
		if r.Type == "" || !json.Valid(r.Data) || unread != (refusal != nil) || unread && !h.within.Plain || !unread && !event {
			h.Product.LeftOut++
			continue
		}
		if decoded != nil {
			if line := decoded.Keys().Line; line.SKU == h.sku {
				lines = append(lines, line)
			}
		}
		c := &incident.Command{
			Type: r.Type, Data: r.Data, Position: r.Position.String(), Time: timeOf(r.Time), ID: r.CommandID, Correlation: r.CorrelationID, Committed: &r.Committed,
			Outcome: incident.Outcome{Result: incident.Refused, Reason: r.Reason, Message: r.Message},
		}
		if r.EventType != "" {
			c.Events = []incident.Event{{Type: r.EventType, Data: r.EventData}}
		}
		refused = append(refused, step{command: c, source: r.Source, row: r.Row, offset: r.Position.Offset, at: &r.Committed, position: r.Position})
	}
	return refused, lines
}

var allocateName = product.Allocate{}.Name()

func timeOf(ms *int64) *time.Time {
	if ms == nil {
		return nil
	}
	at := time.UnixMilli(*ms).UTC()
	return &at
}

// place puts commands among the others: behind those of the same source with a lower row, and
// before those with a higher one. Between these, the clock decides. What comes before all others is
// left out, unless nothing was before the start, or the time was asked for with which it begins.
func (h *History) place(more []step) {
	bySource := map[int32][]int{}
	for i := range h.steps {
		bySource[h.steps[i].source] = append(bySource[h.steps[i].source], i)
	}
	before := make([][]step, len(h.steps)+1)
	for _, m := range more {
		own := bySource[m.source]
		n, _ := slices.BinarySearchFunc(own, m.row, func(i int, row int64) int { return cmp.Compare(h.steps[i].row, row) })
		least, most := 0, len(h.steps)
		if n > 0 {
			least = own[n-1] + 1
		}
		if n < len(own) {
			most = own[n]
		}
		at := least
		for at < most && committedBefore(&h.steps[at], &m) {
			at++
		}
		m.command.ByTime = least != most
		if at == 0 && h.Product.Start.Version > 0 && (h.within.Since.IsZero() || h.Cut) {
			continue
		}
		before[at] = append(before[at], m)
	}
	var all []step
	for i, group := range before {
		slices.SortStableFunc(group, func(a, b step) int {
			if a.source == b.source {
				return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.offset, b.offset))
			}
			return a.at.Compare(*b.at)
		})
		all = append(all, group...)
		if i < len(h.steps) {
			all = append(all, h.steps[i])
		}
	}
	h.steps = all
}

func committedBefore(s, m *step) bool { return s.at != nil && m.at != nil && s.at.Before(*m.at) }

// SKU is the product's.
func (h *History) SKU() string { return h.sku }

// Len is how many commands there are.
func (h *History) Len() int { return len(h.steps) }

// EachCommand gives the commands of a history, one after the other. Each may be changed.
func (v View) EachCommand(ctx context.Context, h *History, take func(*incident.Command) error) error {
	next := 0
	kept := func() error { // gives the commands that are next and have no events to read
		for ; next < len(h.steps) && h.steps[next].command != nil; next++ {
			if err := take(cloned(h.steps[next].command)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := kept(); err != nil {
		return err
	}
	var c *incident.Command
	read := 0
	return v.EachKeyEvent(ctx, h.events, func(e *store.KeyEvent) (err error) {
		if read++; c == nil {
			c = &incident.Command{Position: e.Position.String(), Time: timeOf(e.Time), ID: e.CommandID, Correlation: e.CorrelationID, Committed: h.steps[next].at}
			err = c.Rebuild(*eventOf(e))
		} else {
			c.Events = append(c.Events, *eventOf(e))
		}
		if err != nil || read < h.steps[next].to {
			return err
		}
		if err = take(c); err == nil {
			c, next = nil, next+1
			err = kept()
		}
		return err
	})
}

func cloned(c *incident.Command) *incident.Command {
	own := *c
	own.Events = slices.Clone(c.Events)
	if c.OtherBatch != nil {
		other := *c.OtherBatch
		own.OtherBatch = &other
	}
	return &own
}

// Refs are the references of all batches that the history names.
func (h *History) Refs() []string {
	refs := slices.Clone(h.made)
	for i := range h.Product.Start.Batches {
		refs = append(refs, h.Product.Start.Batches[i].Ref)
	}
	for i := range h.steps {
		if c := h.steps[i].command; c != nil {
			if ref := batchNamed(c); ref != "" {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}
