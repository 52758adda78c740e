package console

import (
	"bytes"
	"encoding/json"
	"html/template"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/cloudevent"
	"allocation/store"
)

const (
	writtenBytes = 2 << 10 // of an event, for what is written of it beside its data
	maxLiveText  = 200     // characters of a text in a row
)

// liveEvent is an event that is kept for its readers. What is written of it is written once,
// however many read it.
type liveEvent struct {
	cloudevent.Event

	number    int64 // in the order in which the console read it
	shortType string
	key       string
	size      int

	row  func() template.HTML // for browsers
	json func() []byte        // for programs
}

// readLive reads a record.
func (c *Console) readLive(r *kgo.Record) *liveEvent {
	e := &liveEvent{Event: cloudevent.Read(r), key: string(r.Key)}
	e.shortType = strings.TrimPrefix(e.Type, c.Program.Service.TypePrefix)
	e.size = 3*(len(r.Value)+len(r.Key)) + writtenBytes
	e.row = sync.OnceValue(func() template.HTML { return c.writeRow(e) })
	e.json = sync.OnceValue(func() []byte { return c.writeJSON(e) })
	return e
}

// Row is the event in the list of a page.
func (e *liveEvent) Row() template.HTML { return e.row() }

// MarshalJSON writes the event for programs.
func (e *liveEvent) MarshalJSON() ([]byte, error) { return e.json(), nil }

// liveFilter says which events somebody wants.
type liveFilter struct{ Type, Key, Subject, Correlation string }

func (f *liveFilter) wants(e *liveEvent) bool {
	return (f.Type == "" || f.Type == e.shortType) && (f.Key == "" || f.Key == e.key) &&
		(f.Subject == "" || f.Subject == e.Subject) && (f.Correlation == "" || f.Correlation == e.CorrelationID)
}

// liveRow is what the row of an event shows.
type liveRow struct {
	*liveEvent
	Number int64
	Key    string
	Type   string
	What   string
	Count  int64 // the sequence of the key
}

func (c *Console) writeRow(e *liveEvent) template.HTML {
	var row bytes.Buffer
	number, _ := strconv.ParseInt(e.Sequence, 10, 64) // 0: it has none
	shown := liveRow{liveEvent: e, Number: e.number, Key: e.key, Type: e.shortType, Count: number, What: c.whatOf(e, number)}
	if err := c.templates[liveFile].ExecuteTemplate(&row, "live-row", shown); err != nil {
		c.Logger.Error("write an event", "error", err)
	}
	return template.HTML(row.String()) //nolint:gosec // a template escaped it
}

func (c *Console) writeJSON(e *liveEvent) []byte {
	shown := e.Event
	if c.Payloads != PayloadsFull {
		shown.Data, _ = json.Marshal(c.Payloads.Show(e.Data))
	}
	var line bytes.Buffer
	_ = cli.NewJSONEncoder(&line).Encode(shown)
	return bytes.TrimSpace(line.Bytes())
}

// whatOf says what happened. Where content is not shown, neither is what is said of it.
func (c *Console) whatOf(e *liveEvent, number int64) string {
	what := ""
	if c.Payloads == PayloadsFull {
		what = c.Product.Words.What(&store.EventView{Type: e.shortType, Sequence: number, Key: e.key, Subject: e.Subject, Data: e.Data})
	} else {
		what = strings.Join(strings.Fields(c.Payloads.Show(e.Data)), " ")
	}
	if utf8.RuneCountInString(what) > maxLiveText {
		what = string([]rune(what)[:maxLiveText]) + "…"
	}
	return what
}
