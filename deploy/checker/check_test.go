package checker

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck_findsNothingInARealRun(t *testing.T) {
	t.Parallel()
	requireNothing(t, recorded(t))
}

// TestCheck_findsSeededErrors: each error, put into a history that was right, is found, by the rule
// that should.
func TestCheck_findsSeededErrors(t *testing.T) {
	t.Parallel()
	for name, seed := range map[string]struct {
		rule  string
		spoil func(*testing.T, *History)
	}{
		"an event was lost":                      {RuleOutbox, loseEvent},
		"the last event of a product was lost":   {RuleFold, loseLastEvent},
		"a lost event leaves a gap":              {RuleOrder, loseEvent},
		"a rejection was lost":                   {RuleEffect, loseRejection},
		"a command took effect twice":            {RuleRepeat, doubleEffect},
		"an effect was doubled in the tables":    {RuleFold, doubleInTables},
		"two events were swapped":                {RuleOrder, swapEvents},
		"an event came from nowhere":             {RulePhantom, phantomEvent},
		"an event of a command without effect":   {RuleEffect, inventedEvent},
		"a line was put on another batch":        {RuleEffect, wrongBatch},
		"a repeat has another value":             {RuleRepeat, repeatWithOtherValue},
		"a repeat has another header":            {RuleRepeat, repeatWithOtherHeader},
		"a header is wrong":                      {RuleEffect, wrongHeader},
		"a dead letter was lost":                 {RuleEffect, loseLetter},
		"a dead letter has another value":        {RuleLetter, spoilLetter},
		"a dead letter has another reason":       {RuleOutbox, wrongReason},
		"a command was refused wrongly":          {RuleEffect, wrongRefusal},
		"a good command was refused":             {RuleEffect, refuseGoodCommand},
		"commands of a partition changed places": {RuleEffect, swapCommands},
		"a line waits that has a batch":          {RuleFold, func(_ *testing.T, h *History) { h.Tables.Lines[0].State = waiting }},
		"a batch has another quantity":           {RuleFold, func(_ *testing.T, h *History) { h.Tables.Batches[0].Qty++ }},
		"a product is missing":                   {RuleFold, func(_ *testing.T, h *History) { h.Tables.Products = h.Tables.Products[1:] }},
		"a row was not published":                {RulePosition, func(_ *testing.T, h *History) { h.Tables.Positions[0].PublishedRow-- }},
		"a position is not at the end":           {RulePosition, func(_ *testing.T, h *History) { h.Tables.Positions[0].NextOffset-- }},
		"the group was told another offset":      {RulePosition, func(_ *testing.T, h *History) { h.Partitions[0].Committed-- }},
		"a position is missing":                  {RulePosition, func(_ *testing.T, h *History) { h.Tables.Positions = h.Tables.Positions[1:] }},
		"a published event was never committed":  {RuleOutbox, func(_ *testing.T, h *History) { h.Tables.Outbox = h.Tables.Outbox[1:] }},
		"the outbox has a row twice":             {RuleOutbox, func(_ *testing.T, h *History) { h.Tables.Outbox = append(h.Tables.Outbox, h.Tables.Outbox[0]) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := recorded(t)
			seed.spoil(t, h)
			violations := Check(h)
			require.True(t, slices.ContainsFunc(violations, func(v Violation) bool { return v.Rule == seed.rule }), Report(violations))
		})
	}
}

// find gives the index of the first event of a kind that is not repeated elsewhere.
func find(t *testing.T, h *History, kind string, from int) int {
	t.Helper()
	count := map[string]int{}
	for _, p := range h.Events {
		count[p.header("ce_id")]++
	}
	for i := from; i < len(h.Events); i++ {
		if p := h.Events[i]; strings.HasSuffix(p.header("ce_type"), "."+kind) && count[p.header("ce_id")] == 1 {
			return i
		}
	}
	t.Fatalf("the history has no %s", kind)
	return 0
}

func (p Packed) header(key string) string {
	r := p.Record()
	return string(r.header(key))
}

func (p Packed) key() string { return string(p.Record().Key) }

// altered is a record with something else in it.
func (p Packed) altered(alter func(*Record)) Packed {
	r := p.Record()
	alter(&r)
	return pack(&r)
}

func (p Packed) withHeader(key, value string) Packed {
	return p.altered(func(r *Record) {
		for i := range r.Headers {
			if r.Headers[i].Key == key {
				r.Headers[i].Value = []byte(value)
			}
		}
	})
}

// unrepeated gives an event with a sequence that is followed by another of its product.
func unrepeated(t *testing.T, h *History) (event, next int) {
	t.Helper()
	event = find(t, h, "Allocated", len(h.Events)/2)
	for next = event + 1; next < len(h.Events); next++ {
		if h.Events[next].key() == h.Events[event].key() && h.Events[next].header("ce_sequence") != "" {
			return event, next
		}
	}
	t.Fatal("no event follows")
	return 0, 0
}

func loseEvent(t *testing.T, h *History) {
	event, _ := unrepeated(t, h)
	h.Events = slices.Delete(h.Events, event, event+1)
}

func loseLastEvent(t *testing.T, h *History) {
	last := map[string]string{}
	for _, p := range h.Events {
		last[p.key()] = max(last[p.key()], p.header("ce_sequence"))
	}
	sku := h.Events[find(t, h, "Allocated", 0)].key()
	h.Events = slices.DeleteFunc(h.Events, func(p Packed) bool { return p.key() == sku && p.header("ce_sequence") == last[sku] })
}

func loseRejection(t *testing.T, h *History) {
	i := find(t, h, "AllocationRejected", 0)
	h.Events = slices.Delete(h.Events, i, i+1)
}

// doubleEffect: the same command was applied again, as the next event of its product.
func doubleEffect(t *testing.T, h *History) {
	again := h.Events[find(t, h, "BatchQuantityChanged", 0)].withHeader("ce_sequence", "0000000000000009999")
	h.Events = append(h.Events, again.altered(func(r *Record) { r.Offset = 1_000_000 }))
}

func doubleInTables(_ *testing.T, h *History) {
	for i := range h.Tables.Batches {
		if h.Tables.Batches[i].Allocated > 0 {
			h.Tables.Batches[i].Allocated *= 2
			return
		}
	}
}

func swapEvents(t *testing.T, h *History) {
	event, next := unrepeated(t, h)
	h.Events[event], h.Events[next] = h.Events[next], h.Events[event]
}

func phantomEvent(t *testing.T, h *History) {
	phantom := h.Events[find(t, h, "Allocated", 0)]
	id := phantom.header("ce_id")
	h.Events = append(h.Events, phantom.withHeader("ce_id", id[:strings.IndexByte(id, '.')]+".0.987654.0"))
}

// inventedEvent belongs to a real command, which had none.
func inventedEvent(t *testing.T, h *History) {
	has := map[string]bool{}
	for _, p := range h.Events {
		id := p.header("ce_id")
		has[id[:strings.LastIndexByte(id, '.')]] = true
	}
	for _, p := range h.Commands {
		at := p.place()
		id := fmt.Sprintf("%s.%d.%d", h.TopicIDs[at.topic], at.partition, at.offset)
		if !has[id] && strings.HasSuffix(p.header("ce_type"), ".Allocate") {
			i := find(t, h, "Allocated", 0)
			h.Events = slices.Insert(h.Events, i+1, h.Events[i].withHeader("ce_id", id+".0"))
			return
		}
	}
	t.Fatal("the history has no Allocate without effect")
}

func wrongBatch(t *testing.T, h *History) {
	p := &h.Events[find(t, h, "Allocated", 0)]
	*p = p.altered(func(r *Record) {
		r.Value = bytes.Replace(r.Value, []byte(`"batchref":"batch-`), []byte(`"batchref":"batch-9`), 1)
	})
}

func repeatWithOtherValue(t *testing.T, h *History) {
	h.Events = append(h.Events, inOtherWords(h.Events[find(t, h, "Allocated", 0)]))
}

func inOtherWords(p Packed) Packed {
	return p.altered(func(r *Record) { r.Value = append(r.Value, ' ') })
}

func repeatWithOtherHeader(t *testing.T, h *History) {
	again := h.Events[find(t, h, "Allocated", 0)]
	h.Events = append(h.Events, again.altered(func(r *Record) { r.Headers = r.Headers[1:] }))
}

func wrongHeader(t *testing.T, h *History) {
	p := &h.Events[find(t, h, "Allocated", 0)]
	*p = p.withHeader("ce_causationid", "another")
}

func (p Packed) original() string {
	return p.header("dlq-original-topic") + "." + p.header("dlq-original-partition") + "." + p.header("dlq-original-offset")
}

func loseLetter(_ *testing.T, h *History) {
	lost := h.Letters[0].original()
	h.Letters = slices.DeleteFunc(h.Letters, func(p Packed) bool { return p.original() == lost })
}

func spoilLetter(_ *testing.T, h *History) {
	h.Letters[0] = h.Letters[0].altered(func(r *Record) { r.Value = []byte("x") })
}

func wrongReason(_ *testing.T, h *History) {
	h.Letters[0] = h.Letters[0].withHeader("dlq-reason", "unknown_sku2")
}

// wrongRefusal: topic and table agree on a reason that is wrong.
func wrongRefusal(_ *testing.T, h *History) {
	lost := h.Letters[0]
	for i, p := range h.Letters {
		if p.original() == lost.original() {
			h.Letters[i] = p.withHeader("dlq-reason", "line_waiting")
		}
	}
	value := string(lost.Record().Value)
	for i := range h.Tables.Letters {
		if l := &h.Tables.Letters[i]; string(l.Value) == value {
			l.Reason = "line_waiting"
		}
	}
}

// refuseGoodCommand: a command that had an effect is in the dead letters, too.
func refuseGoodCommand(t *testing.T, h *History) {
	id := strings.Split(h.Events[find(t, h, "BatchEtaChanged", 0)].header("ce_id"), ".")
	for topic, is := range h.TopicIDs {
		if is == id[0] {
			h.Letters = append(h.Letters, h.Letters[0].withHeader("dlq-original-topic", topic).
				withHeader("dlq-original-partition", id[1]).withHeader("dlq-original-offset", id[2]))
		}
	}
}

// swapCommands exchanges what two commands of a partition say, as if they had been applied in the
// other order.
func swapCommands(t *testing.T, h *History) {
	for i := range h.Commands {
		a := h.Commands[i].Record()
		for j := i + 1; j < len(h.Commands); j++ {
			b := h.Commands[j].Record()
			if a.Topic == b.Topic && a.Partition == b.Partition && bytes.Contains(a.Value, []byte("orderid")) && bytes.Contains(b.Value, []byte(`"ref"`)) &&
				len(a.Key) > 1 && bytes.Equal(a.Key, b.Key) && !bytes.Contains(a.Value, []byte("specversion")) && !bytes.Contains(b.Value, []byte("specversion")) {
				h.Commands[i] = h.Commands[i].altered(func(r *Record) { r.Value, r.Headers = b.Value, b.Headers })
				h.Commands[j] = h.Commands[j].altered(func(r *Record) { r.Value, r.Headers = a.Value, a.Headers })
				return
			}
		}
	}
	t.Fatal("no two commands to swap")
}
