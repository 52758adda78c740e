package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// eventPrinter prints events as they come: aligned for people, as JSON lines for programs.
type eventPrinter struct {
	out  *bufio.Writer
	json *json.Encoder // nil: for people
	sku  int           // the width of that column, which grows
}

func (p *program) newEventPrinter(asJSON bool) *eventPrinter {
	e := &eventPrinter{out: bufio.NewWriter(p.out), sku: 8}
	if asJSON {
		e.json = newJSONEncoder(e.out)
		e.json.SetEscapeHTML(false)
	}
	return e
}

// print keeps its error for flush.
func (p *eventPrinter) print(e *event) {
	if p.json != nil {
		_ = p.json.Encode(e)
		return
	}
	sku := printable(e.data().SKU)
	p.sku = max(p.sku, min(utf8.RuneCountInString(sku), 40))
	fmt.Fprintf(p.out, "%s  %-*s %6s  %-20s  %s\n",
		when(e.at), p.sku, sku, e.number(), printable(e.kind()), printable(e.words()))
}

func (p *eventPrinter) flush() error { return p.out.Flush() }
