package incident

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"allocation/domain/product"
)

// Names replaces identifiers, each kind consistently, so that a file can be given to others. No
// decision depends on an identifier but by being the same, and by the order of batches' references:
// where two have the same eta, the first by its bytes is taken. So references are numbered in their
// order, and others as they come.
//
// What is kept: quantities, revisions, dates, times, reasons, partitions and offsets. What is left
// out: fields that a command has and no rule reads, and the messages of refusals.
type Names struct {
	batches map[string]string
	others  map[string]map[string]string // by kind
	missing error
}

// NewNames makes names for these batches, which are all that are going to come.
func NewNames(refs []string) *Names {
	n := &Names{batches: map[string]string{}, others: map[string]map[string]string{}}
	refs = slices.Compact(slices.Sorted(slices.Values(refs)))
	width := len(fmt.Sprint(len(refs)))
	for i, ref := range refs {
		n.batches[ref] = fmt.Sprintf("batch-%0*d", width, i+1)
	}
	return n
}

// kinds are those of the fields that are identifiers.
var kinds = map[string]string{"sku": "sku", "orderid": "order", "lineid": "line", "ref": "batch", "batchref": "batch"}

// kept are the fields that are none.
var kept = []string{"qty", "revision", "eta", "reason"}

func (n *Names) name(kind, text string) string {
	if text == "" {
		return ""
	}
	if kind == "batch" {
		return n.batch(text)
	}
	of := n.others[kind]
	if of == nil {
		of = map[string]string{}
		n.others[kind] = of
	}
	if of[text] == "" {
		of[text] = fmt.Sprintf("%s-%d", kind, len(of)+1)
	}
	return of[text]
}

func (n *Names) batch(ref string) string {
	if ref == "" {
		return ""
	}
	name := n.batches[ref]
	if name == "" {
		n.missing = fmt.Errorf("the batch %q is none that was known before", ref)
	}
	return name
}

// Product replaces the identifiers of a product and of its start.
func (n *Names) Product(p *Product) error {
	p.SKU = n.name("sku", p.SKU)
	for i := range p.Start.Batches {
		n.stock(&p.Start.Batches[i])
	}
	for i := range p.Start.Lines {
		l := &p.Start.Lines[i]
		l.OrderID, l.LineID, l.BatchRef = n.name("order", l.OrderID), n.name("line", l.LineID), n.batch(l.BatchRef)
	}
	return n.missing
}

func (n *Names) stock(b *Batch) {
	b.Ref, b.SKU, b.LastChange = n.batch(b.Ref), n.name("sku", b.SKU), n.name("command", b.LastChange)
}

// Command replaces the identifiers of a command and its events.
func (n *Names) Command(c *Command) (err error) {
	if c.Data, err = n.data(c.Data); err != nil {
		return err
	}
	c.Position = n.position(c.Position)
	c.ID, c.Correlation = n.name("command", c.ID), n.name("correlation", c.Correlation)
	c.Message = ""
	if c.OtherBatch != nil {
		n.stock(c.OtherBatch)
	}
	for i := range c.Events {
		e := &c.Events[i]
		if e.Data, err = n.data(e.Data); err != nil {
			return err
		}
		if e.Note, err = n.note(e.Note); err != nil {
			return err
		}
	}
	return n.missing
}

// position replaces the topic of a position.
func (n *Names) position(position string) string {
	rest := position
	for range 2 {
		rest = rest[:max(0, strings.LastIndexByte(rest, '.'))]
	}
	return n.name("topic", rest) + position[len(rest):]
}

// data replaces the identifiers in the data of a command or an event, and leaves out what has none
// of the known names.
func (n *Names) data(data []byte) (json.RawMessage, error) {
	in := json.NewDecoder(bytes.NewReader(data))
	if token, err := in.Token(); err != nil || token != json.Delim('{') {
		return nil, fmt.Errorf("the data %s is no object", data)
	}
	out := []byte{'{'}
	for in.More() {
		token, err := in.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := in.Decode(&value); err != nil {
			return nil, err
		}
		name := token.(string)
		kind, identifies := kinds[name]
		if !identifies && !slices.Contains(kept, name) {
			continue
		}
		if identifies && !bytes.Equal(value, []byte("null")) {
			var text string
			if err := json.Unmarshal(value, &text); err != nil {
				return nil, err
			}
			value, _ = json.Marshal(n.name(kind, text)) // a text
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "%q:%s", name, value)
	}
	return append(out, '}'), nil
}

func (n *Names) note(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var note product.Note
	if err := json.Unmarshal(raw, &note); err != nil {
		return nil, errors.Join(fmt.Errorf("the note %s cannot be read", raw), err)
	}
	for _, offers := range [][]product.Offer{note.PassedOver, note.Largest} {
		for i := range offers {
			offers[i].Ref = n.batch(offers[i].Ref)
		}
	}
	return note.JSON(), nil
}
