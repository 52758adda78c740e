package tail

import (
	"bufio"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"allocation/cmd/allocation/event"
	"allocation/cmd/internal/cli"
)

// printer prints events as they come: aligned for people, as JSON lines for programs.
type printer struct {
	out  *bufio.Writer
	json *json.Encoder // nil: for people
	sku  int           // the width of that column, which grows
}

func newPrinter(p *cli.Program, asJSON bool) *printer {
	e := &printer{out: bufio.NewWriter(p.Out), sku: 8}
	if asJSON {
		e.json = cli.NewJSONEncoder(e.out)
	}
	return e
}

// print keeps its error for flush.
func (p *printer) print(e *event.Event) {
	if p.json != nil {
		_ = p.json.Encode(e)
		return
	}
	sku := cli.Printable(e.Fields().SKU)
	p.sku = max(p.sku, min(utf8.RuneCountInString(sku), 40))
	fmt.Fprintf(p.out, "%s  %-*s %6s  %-20s  %s\n",
		cli.When(e.At), p.sku, sku, e.Number(), cli.Printable(e.ShortType()), cli.Printable(e.Words()))
}

func (p *printer) flush() error { return p.out.Flush() }
