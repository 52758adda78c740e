package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"allocation/cmd/internal/cli"
)

// eventPrinter prints events as they come: aligned for people, as JSON lines for programs.
type eventPrinter struct {
	out  *bufio.Writer
	json *json.Encoder // nil: for people
	sku  int           // the width of that column, which grows
}

func newEventPrinter(p *cli.Program, asJSON bool) *eventPrinter {
	e := &eventPrinter{out: bufio.NewWriter(p.Out), sku: 8}
	if asJSON {
		e.json = cli.NewJSONEncoder(e.out)
	}
	return e
}

// print keeps its error for flush.
func (p *eventPrinter) print(e *event) {
	if p.json != nil {
		_ = p.json.Encode(e)
		return
	}
	sku := cli.Printable(e.fields().SKU)
	p.sku = max(p.sku, min(utf8.RuneCountInString(sku), 40))
	fmt.Fprintf(p.out, "%s  %-*s %6s  %-20s  %s\n",
		cli.When(e.At), p.sku, sku, e.number(), cli.Printable(e.kind()), cli.Printable(e.words()))
}

func (p *eventPrinter) flush() error { return p.out.Flush() }
