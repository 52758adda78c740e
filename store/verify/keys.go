package verify

import (
	"context"
	"fmt"
)

// history is how far the events of a key were folded.
type history struct {
	version   int64
	partition int32 // of the topic
	cut       bool  // it does not begin with the first event, or is not all in one partition: it cannot be compared
	gapFrom   int64 // the first event that is missing in the middle; 0: none
	gapTo     int64
	seen      bool // the key's row was compared
}

// whole reports whether the key can be compared.
func (h *history) whole() bool { return h != nil && !h.cut && h.gapFrom == 0 }

// next reports whether an event is the next of its key.
func (p *Pass) next(h *history, e *Event) bool {
	if e.Partition >= 0 && e.Partition != h.partition {
		h.cut = true // the topic got more partitions, which have no order between them
	}
	switch {
	case e.Sequence <= h.version && p.v.o.Topic != nil:
		return false // a repeat
	case e.Sequence <= h.version:
		p.v.Report(CheckSequence, e.Key, "outbox", fmt.Sprintf("sequence %d", e.Sequence), fmt.Sprintf("sequence %d next", h.version+1), "it is there again")
		return false
	case e.Sequence > h.version+1 && h.gapFrom == 0:
		h.gapFrom, h.gapTo = h.version+1, e.Sequence-1
	}
	h.version = e.Sequence
	return true
}

// reportGaps reports events that are missing in the middle, unless a day was dropped that they may
// have been on.
func (p *Pass) reportGaps(ctx context.Context) error {
	v, from := p.v, "outbox"
	if v.o.Topic != nil {
		from = "events topic"
	}
	now, err := v.readDays(ctx)
	if err != nil || v.o.Topic == nil && (now.holes() || now.dropped(v.days)) {
		return err
	}
	for key, h := range p.keys {
		v.ReportIf(h.gapFrom != 0 && !h.cut && p.holds(keyPoint(key)), CheckSequence, key, from, key,
			fmt.Sprintf("events %d to %d", h.gapFrom, h.gapTo), "they are missing")
	}
	return v.failed
}

type keyVersion struct {
	Key     string
	Version int64
}

func (p *Pass) compareKeys(ctx context.Context) error {
	a := &p.v.aggregate
	return scan(ctx, p, a.Table, a.Versions, func(after *keyVersion) []any { return []any{after.Key} }, p.compareKey)
}

func (p *Pass) compareKey(row *keyVersion) {
	v := p.v
	if !v.Wants(row.Key) || !p.holds(keyPoint(row.Key)) {
		return
	}
	h := p.keys[row.Key]
	if h != nil {
		h.seen = true
	}
	if !h.whole() {
		v.summary.HistoryCut++
		return
	}
	v.summary.Folded++
	v.ReportIf(row.Version != h.version, CheckEvents, row.Key, v.aggregate.Table, row.Key,
		fmt.Sprintf("version %d", h.version), fmt.Sprintf("version %d", row.Version))
}

func (p *Pass) compareUnseenKeys(ctx context.Context) error {
	var keys []string
	for key, h := range p.keys {
		if !h.seen {
			keys = append(keys, key)
		}
	}
	a := &p.v.aggregate
	return lookup(ctx, p, keys, a.TheseVersions, func(keys []string) []any { return []any{keys} }, p.compareKey, func(key string) {
		h := p.keys[key]
		wrong := h != nil && !h.seen && h.whole() && p.holds(keyPoint(key))
		p.v.ReportIf(wrong, CheckEvents, key, a.Table, key, "a row", "none")
	})
}
