package products

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"allocation/domain/incident"
	"allocation/domain/product"
	"allocation/store"
)

// step is a command of a history.
type step struct {
	from, to int               // its events; none where the command is kept as it is
	command  *incident.Command // nil: it is made of its events
	source   int32             // whose row its first one is; 0: it has none
	row      int64
	offset   int64      // of a command without rows: it comes before the row
	at       *time.Time // when it was committed, or nearly so
}

// begin makes the steps of the events.
func (h *History) begin() {
	for i := range h.events {
		e := &h.events[i]
		if i > 0 && !e.First(&h.events[i-1]) {
			h.steps[len(h.steps)-1].to++
			continue
		}
		h.steps = append(h.steps, step{from: i, to: i + 1, source: e.Source, row: e.Row, at: e.Committed})
	}
	if len(h.steps) > 0 {
		h.Product.Since = h.steps[0].at
	}
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
			Type: r.Type, Data: r.Data, Position: r.Position.String(), Time: timeOf(r.Time), ID: r.CommandID, Correlation: r.CorrelationID, Committed: &r.Recorded,
			Outcome: incident.Outcome{Result: incident.Refused, Reason: r.Reason, Message: r.Message},
		}
		if r.EventType != "" {
			c.Events = []incident.Event{{Type: r.EventType, Data: r.EventData}}
		}
		refused = append(refused, step{command: c, source: r.Source, row: r.Row, offset: r.Position.Offset, at: &r.Recorded})
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
// left out, unless there is nothing before the start or a time was asked for.
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
		if at == 0 && h.Product.Start.Version > 0 && h.within.Since.IsZero() {
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

// Each gives the commands, one after the other. Each may be changed.
func (h *History) Each(take func(*incident.Command) error) error {
	for i := range h.steps {
		c, err := h.command(&h.steps[i])
		if err == nil {
			err = take(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *History) command(s *step) (*incident.Command, error) {
	if s.command != nil {
		c := *s.command
		c.Events = slices.Clone(c.Events)
		if c.OtherBatch != nil {
			other := *c.OtherBatch
			c.OtherBatch = &other
		}
		return &c, nil
	}
	first := &h.events[s.from]
	c := &incident.Command{
		Position: first.Position.String(), Time: timeOf(first.Time), ID: first.CommandID, Correlation: first.CorrelationID, Committed: s.at,
	}
	if err := c.Rebuild(*eventOf(first)); err != nil {
		return nil, err
	}
	for i := s.from + 1; i < s.to; i++ {
		c.Events = append(c.Events, *eventOf(&h.events[i]))
	}
	return c, nil
}

// Refs are the references of all batches that the history names.
func (h *History) Refs() (refs []string) {
	for i := range h.Product.Start.Batches {
		refs = append(refs, h.Product.Start.Batches[i].Ref)
	}
	for i := range h.steps {
		if c := h.steps[i].command; c != nil {
			if ref := batchNamed(c); ref != "" {
				refs = append(refs, ref)
			}
			continue
		}
		if e := &h.events[h.steps[i].from]; e.Type == string(product.BatchCreated) {
			d, _ := product.ReadEventData(e.Data) // what cannot be read is not rebuilt either
			refs = append(refs, d.Ref)
		}
	}
	return refs
}
