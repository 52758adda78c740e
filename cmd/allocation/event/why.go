package event

import (
	"encoding/json"
	"fmt"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/explain"
	"allocation/domain/product"
	"allocation/store"
)

// Words say what the service's events mean.
var Words = explain.Words{Command: Command, What: What, Why: Why, Harm: Harm, Idle: Stale}

// Command is the name of the command that an event came from; empty where that cannot be told.
func Command(c *store.CauseView) string {
	d, _ := product.ReadEventData(c.First.Data) // what cannot be read stays empty
	return product.CommandOf(product.EventType(c.First.Type), d.Reason)
}

// What says what happened.
func What(e *store.EventView) string { return Describe(e.Type, e.Data) }

// Why says why the command of an event decided so, in sentences.
func Why(e *store.EventView) (sentences []string) {
	d, _ := product.ReadEventData(e.Data)
	note := readNote(e.Note)
	switch product.EventType(e.Type) {
	case product.BatchQuantityChanged:
		if note.WasQty != nil {
			sentences = append(sentences, fmt.Sprintf("it was %d before", *note.WasQty))
		}
	case product.BatchEtaChanged:
		if note.WasETA != nil {
			sentences = append(sentences, fmt.Sprintf("it was %s before", due(string(*note.WasETA))))
		}
	case product.LineAllocated:
		sentences = append(served(e, d), taken(d, note))
	case product.LineOutOfStock:
		sentences = append(sentences, nowhere(d, note))
	case product.LineDeallocated:
		if d.Reason == product.DeallocatedBatchReduced {
			sentences = append(sentences, reduced(e))
		}
	}
	return append(sentences, effects(e)...)
}

// effects says what else the command of an event did, where that was counted.
func effects(e *store.EventView) []string {
	var all []string
	for _, kind := range []struct {
		event     product.EventType
		one, many string
	}{
		{product.LineDeallocated, "1 line left it", "%s lines left it"},
		{product.LineAllocated, "1 line was allocated", "%s lines were allocated"},
		{product.LineOutOfStock, "1 line waits", "%s lines wait"},
	} {
		switch n := e.Effects[string(kind.event)]; {
		case n == 1:
			all = append(all, kind.one)
		case n > 1:
			all = append(all, fmt.Sprintf(kind.many, cli.Count(n)))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return []string{strings.Join(all, ", ")}
}

func readNote(raw json.RawMessage) (n product.Note) {
	_ = json.Unmarshal(raw, &n) // what cannot be read stays empty
	return n
}

// served says why a line got a batch by a command that is not its own.
func served(e *store.EventView, d product.EventData) []string {
	first, _ := product.ReadEventData(e.Cause.First.Data)
	switch Command(&e.Cause) {
	case "CreateBatch":
		return []string{fmt.Sprintf("it waited, and batch %s was added", first.Ref)}
	case "Deallocate":
		return []string{fmt.Sprintf("it waited, and %s gave %d back", line(first), first.Qty)}
	case "ChangeBatchQuantity":
		if first.BatchRef != d.BatchRef {
			return nil // it moved: the event before says why
		}
		return []string{fmt.Sprintf("it waited, and batch %s has %d now", first.BatchRef, first.Qty)}
	}
	return nil
}

// taken says why a line got its batch and no other.
func taken(d product.EventData, n product.Note) string {
	text := fmt.Sprintf("batch %s is the first in preference that had %d available", d.BatchRef, d.Qty)
	if len(n.PassedOver) > 0 {
		text += "; before it come " + offers(n.PassedOver, n.More) + ", which had too little"
		if !n.Partial {
			return text + "; any other before it was full"
		}
	}
	if n.Partial {
		text += "; others before it had less, and were not looked at"
	}
	return text
}

// nowhere says why no batch could take a line.
func nowhere(d product.EventData, n product.Note) string {
	text := fmt.Sprintf("a line is never split, and no batch had %d available", d.Qty)
	switch {
	case len(n.Largest) == 0 && !n.Partial:
		return "no batch had anything available"
	case len(n.Largest) == 0:
		return text
	case n.Partial:
		return text + "; of those that were looked at, the most was available on " + offers(n.Largest, n.More)
	}
	return text + "; the most was available on " + offers(n.Largest, n.More)
}

func offers(list []product.Offer, more int) string {
	var each []string
	for _, o := range list {
		each = append(each, fmt.Sprintf("%s (%d, %s)", o.Ref, o.Available, due(string(o.ETA))))
	}
	if more > 0 {
		each = append(each, fmt.Sprintf("and %d others", more))
	}
	return strings.Join(each, ", ")
}

// reduced says why a line lost its batch.
func reduced(e *store.EventView) string {
	first, _ := product.ReadEventData(e.Cause.First.Data)
	text := fmt.Sprintf("batch %s was set to %d", first.BatchRef, first.Qty)
	if note := readNote(e.Cause.First.Note); note.WasQty != nil {
		text = fmt.Sprintf("batch %s was set from %d to %d", first.BatchRef, *note.WasQty, first.Qty)
	}
	return text + ", and the lines that were placed last leave first"
}
