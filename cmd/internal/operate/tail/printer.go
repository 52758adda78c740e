package tail

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/cloudevent"
	"allocation/cmd/internal/operate/explain"
	"allocation/store"
)

// printer prints events as they come: aligned for people, as JSON lines for programs.
type printer struct {
	out    *bufio.Writer
	json   *json.Encoder // nil: for people
	words  explain.Words
	prefix string // of types
	key    int    // the width of that column, which grows
}

func newPrinter(p *cli.Program, words explain.Words, asJSON bool) *printer {
	e := &printer{out: bufio.NewWriter(p.Out), words: words, prefix: p.Service.TypePrefix, key: 8}
	if asJSON {
		e.json = cli.NewJSONEncoder(e.out)
	}
	return e
}

// nameOf is the type without what all have in common.
func (p *printer) nameOf(e *cloudevent.Event) string { return strings.TrimPrefix(e.Type, p.prefix) }

// print keeps its error for flush.
func (p *printer) print(e *cloudevent.Event, name string) {
	if p.json != nil {
		_ = p.json.Encode(e)
		return
	}
	key := cli.Printable(e.PartitionKey)
	p.key = max(p.key, min(utf8.RuneCountInString(key), 40))
	what := p.words.What(&store.EventView{Type: name, Data: e.Data})
	fmt.Fprintf(p.out, "%s  %-*s %6s  %-20s  %s\n", cli.When(e.At), p.key, key, number(e), cli.Printable(name), cli.Printable(what))
}

// number is the sequence as people write it, empty where the event has none.
func number(e *cloudevent.Event) string {
	n, err := strconv.ParseInt(e.Sequence, 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func (p *printer) flush() error { return p.out.Flush() }
