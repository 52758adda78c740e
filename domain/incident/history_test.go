package incident_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/domain/incident"
)

// Names as they should not be: the order of their bytes is another one than that of their numbers,
// and different things have the same name.
var (
	refs   = []string{"b10", "b2", "B", "é", "o1", "batch-1", "batch-10", `a"<&`, "CHAIR"}
	orders = []string{"o1", "o2", "o10", "b2", "batch-1", "CHAIR", "x"}
	ids    = []string{"", "", "x", "y", "o1"}
)

// past is a random history of a product beside another one, as its commands and the state after
// each.
type past struct {
	product  incident.Product
	commands []*incident.Command
	states   []*incident.State // before each command, and at the end
}

func drawPast(t *rapid.T) *past {
	p := &past{product: incident.Product{SKU: "CHAIR", Start: &incident.State{}}}
	own, err := incident.NewReplay("CHAIR", nil)
	require.NoError(t, err)
	other, err := incident.NewReplay("LAMP", nil)
	require.NoError(t, err)
	for n := range rapid.IntRange(5, 60).Draw(t, "commands") {
		c, sku := drawCommand(t)
		c.Position = fmt.Sprintf("some.topic.%d.%d", rapid.IntRange(0, 2).Draw(t, "partition"), n)
		replay, beside := own, other
		if sku == "LAMP" {
			replay, beside = other, own
		}
		for _, b := range beside.State().Batches {
			if b.Ref == named(c) {
				b.SKU = map[string]string{"CHAIR": "LAMP", "LAMP": "CHAIR"}[sku]
				c.OtherBatch = &b
			}
		}
		before := replay.State()
		c.Outcome, err = replay.Apply(c)
		require.NoError(t, err)
		if sku == "CHAIR" {
			p.commands, p.states = append(p.commands, c), append(p.states, before)
		}
	}
	p.states = append(p.states, own.State())
	p.product.Version = own.Version()
	return p
}

func named(c *incident.Command) string {
	var ref string
	fields := fieldsOf(c.Data)
	for _, name := range []string{"ref", "batchref"} {
		if text, ok := fields[name].(string); ok {
			ref = text
		}
	}
	return ref
}

func drawCommand(t *rapid.T) (c *incident.Command, sku string) {
	sku = rapid.SampledFrom([]string{"CHAIR", "CHAIR", "CHAIR", "LAMP"}).Draw(t, "sku")
	data := map[string]any{"sku": sku}
	text := func(name string, from ...string) {
		if value := rapid.SampledFrom(from).Draw(t, name); value != "" {
			data[name] = value
		}
	}
	number := func(name string, least, most int) { data[name] = rapid.IntRange(least, most).Draw(t, name) }
	line := func() {
		text("orderid", orders...)
		text("lineid", "", "", "", "l1", "o1")
	}
	kind := rapid.SampledFrom([]string{
		"CreateBatch", "CreateBatch", "ChangeBatchQuantity", "ChangeBatchQuantity", "ChangeBatchQuantity", "ChangeBatchEta",
		"Allocate", "Allocate", "Allocate", "Allocate", "Deallocate", "Dispatch",
	}).Draw(t, "type")
	switch kind {
	case "CreateBatch":
		text("ref", refs...)
		text("eta", "", "2030-01-01", "2030-01-02")
		number("qty", 0, 12)
	case "ChangeBatchQuantity":
		text("batchref", refs...)
		number("qty", 0, 12)
		if rapid.Bool().Draw(t, "revises") {
			number("revision", 0, 4)
		}
	case "ChangeBatchEta":
		text("batchref", refs...)
		text("eta", "", "2030-01-01", "2030-01-02")
	case "Allocate":
		line()
		number("qty", 1, 6)
	default:
		line()
	}
	return &incident.Command{Type: kind, Data: jsonOf(data), ID: rapid.SampledFrom(ids).Draw(t, "id"), Correlation: rapid.SampledFrom(ids).Draw(t, "correlation")}, sku
}

// file writes the commands from one on.
func (p *past) file(t require.TestingT, start *incident.State, from int, names *incident.Names) []byte {
	product := p.product
	product.Start = start
	if names != nil {
		require.NoError(t, names.Product(&product))
	}
	out := &buffer{}
	w := incident.NewWriter(out, plainEncoder)
	require.NoError(t, w.Begin(&product))
	for _, c := range p.commands[from:] {
		own := clone(t, c)
		if names != nil {
			require.NoError(t, names.Command(own))
		}
		require.NoError(t, w.Step(own))
	}
	require.NoError(t, w.End())
	require.NoError(t, w.Close())
	return out.Bytes()
}

// Without identifiers, a history is decided as with them.
func TestNames_changeNoDecision(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPast(t)
		from := rapid.IntRange(0, len(p.commands)).Draw(t, "from")
		start := clone(t, p.states[from])
		text := p.file(t, start, from, incident.NewNames(refs))
		for _, name := range append(append([]string{"LAMP", "some.topic", `"l1"`}, quoted(refs)...), quoted(orders)...) {
			if name != `"batch-1"` {
				require.NotContains(t, string(text), name)
			}
		}
		requireNoDifference(t, text, p.states[len(p.states)-1].Version)
		requireNoDifference(t, p.file(t, p.states[from], from, nil), p.states[len(p.states)-1].Version)
	})
}

func quoted(names []string) (all []string) {
	for _, name := range names {
		all = append(all, fmt.Sprintf("%q", name))
	}
	return all
}

// Events that are taken back lead to the state before them.
func TestRewind_leadsToTheStateBefore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPast(t)
		to := rapid.IntRange(0, len(p.commands)).Draw(t, "to")
		r := incident.NewRewind("CHAIR", clone(t, p.states[len(p.states)-1]))
		for n := len(p.commands) - 1; n >= 0; n-- {
			c := p.commands[n]
			for i := len(c.Events) - 1; i >= 0 && c.Result == incident.Changed; i-- {
				if n >= to {
					require.NoError(t, r.Undo(&c.Events[i], c.ID))
				} else {
					r.Find(&c.Events[i], c.ID)
				}
			}
		}
		require.False(t, r.Lacks())
		want, got := clone(t, p.states[to]), r.State()
		require.True(t, want.Agrees(got), "%+v\n%+v", want, got)
		require.ElementsMatch(t, want.Batches, got.Batches)
		require.ElementsMatch(t, want.Lines, got.Lines)
		requireNoDifference(t, p.file(t, got, to, nil), p.states[len(p.states)-1].Version)
	})
}

// What cannot have been is not taken back.
func TestRewind_refusesWhatCannotHaveBeen(t *testing.T) {
	t.Parallel()
	now := func() *incident.State {
		return &incident.State{
			Version: 3, Batches: []incident.Batch{{Ref: "b", Qty: 5, Allocated: 2, FirstQty: 5}},
			Lines: []incident.Line{{OrderID: "o", Qty: 2, State: "allocated", BatchRef: "b", Placed: 2}},
		}
	}
	for says, e := range map[string]incident.Event{
		"event #2 comes before version 3": {Type: "Allocated", Sequence: 2, Data: []byte(`{"orderid":"o","sku":"S","qty":2,"batchref":"b"}`)},
		"what was before is not kept":     {Type: "BatchQuantityChanged", Sequence: 3, Data: []byte(`{"batchref":"b","sku":"S","qty":5}`)},
		"the batch was not as changed":    {Type: "BatchQuantityChanged", Sequence: 3, Data: []byte(`{"batchref":"b","sku":"S","qty":6}`)},
		"there is none":                   {Type: "BatchEtaChanged", Sequence: 3, Data: []byte(`{"batchref":"x","sku":"S"}`)},
		"there is no such line":           {Type: "Allocated", Sequence: 3, Data: []byte(`{"orderid":"x","sku":"S","qty":2,"batchref":"b"}`)},
		"the line of 2 was allocated":     {Type: "Dispatched", Sequence: 3, Data: []byte(`{"orderid":"o","sku":"S","qty":2,"batchref":"b"}`)},
		"the batch was not as created":    {Type: "BatchCreated", Sequence: 3, Data: []byte(`{"ref":"b","sku":"S","qty":5}`)},
	} {
		require.ErrorContains(t, incident.NewRewind("S", now()).Undo(&e, ""), says)
	}
}
