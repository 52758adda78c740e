package product_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"allocation/deploy/checker"
	"allocation/domain/product"
)

// sent is a command with the id that its sender gave it.
type sent struct {
	id, commandType, data string
	cmd                   product.Command
}

func anyCommand() *rapid.Generator[sent] {
	text := func(name string, values ...string) func(*rapid.T) string {
		from := rapid.SampledFrom(values)
		return func(t *rapid.T) string {
			if value := from.Draw(t, name); value != "" {
				return fmt.Sprintf(",%q:%q", name, value)
			}
			return ""
		}
	}
	number := func(name string, least, most int64) func(*rapid.T) string {
		from := rapid.Int64Range(least, most)
		return func(t *rapid.T) string { return fmt.Sprintf(",%q:%d", name, from.Draw(t, name)) }
	}
	refs := []string{"b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8"}
	sku, optionalSKU := text("sku", "CHAIR", "LAMP"), text("sku", "", "", "", "CHAIR", "LAMP")
	ref, batchRef := text("ref", refs...), text("batchref", refs...)
	eta, qty := text("eta", "", "2030-01-01", "2030-01-02"), number("qty", 0, 12)
	line := func(t *rapid.T) string {
		order := fmt.Sprintf(",%q:%q", "orderid", fmt.Sprint("o", rapid.IntRange(1, 15).Draw(t, "order")))
		return order + sku(t) + text("lineid", "", "", "", "", "l")(t)
	}
	revision := func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "revises") {
			return number("revision", 0, 3)(t)
		}
		return ""
	}
	return rapid.Custom(func(t *rapid.T) sent {
		s := sent{id: rapid.SampledFrom([]string{"", "", "x", "y"}).Draw(t, "id")}
		switch rapid.IntRange(0, 13).Draw(t, "kind") {
		case 0, 1:
			s.commandType, s.data = "CreateBatch", ref(t)+sku(t)+qty(t)+eta(t)
		case 2, 3, 4:
			s.commandType, s.data = "ChangeBatchQuantity", batchRef(t)+optionalSKU(t)+qty(t)+revision(t)
		case 5:
			s.commandType, s.data = "ChangeBatchEta", batchRef(t)+optionalSKU(t)+eta(t)
		case 6, 7, 8, 9, 10:
			s.commandType, s.data = "Allocate", line(t)+number("qty", 1, 6)(t)
		case 11, 12:
			s.commandType, s.data = "Deallocate", line(t)
		case 13:
			s.commandType, s.data = "Dispatch", line(t)
		}
		s.data = "{" + s.data[1:] + "}"
		var refusal *product.Refusal
		s.cmd, refusal = product.DecodeCommand(s.commandType, []byte(s.data))
		require.Nil(t, refusal)
		return s
	})
}

// The service in all its parts gives what the checker's model gives, however little is loaded at a
// time, and however many commands a transaction has.
func TestCatalog_agreesWithTheModel(t *testing.T) {
	for name, m := range map[string]measure{"generous": generous, "miserly": miserly} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				w := newWorld(m)
				w.transaction(t, rapid.SliceOfN(anyCommand(), 10, 60).Draw(t, "past"))
				for range rapid.IntRange(1, 8).Draw(t, "transactions") {
					w.transaction(t, rapid.SliceOfN(anyCommand(), 1, 20).Draw(t, "commands"))
				}
			})
		})
	}
}

// world is the same commands on the service, the model and the fold of the events.
type world struct {
	measure measure
	db      *database
	catalog *product.Catalog
	model   *checker.Model
	fold    *fold
}

func newWorld(m measure) *world {
	return &world{measure: m, db: newDatabase(), catalog: product.NewCatalog(), model: checker.NewModel(), fold: &fold{newTables()}}
}

func (w *world) transaction(t *rapid.T, commands []sent) {
	if rapid.IntRange(0, 5).Draw(t, "forget") == 0 {
		w.catalog = product.NewCatalog()
	}
	catalog := w.catalog
	if rapid.Bool().Draw(t, "expect") {
		need := product.NewNeed()
		for _, s := range commands {
			need.Expect(s.cmd)
		}
		if rapid.Bool().Draw(t, "spare") {
			catalog.Spare(need)
		}
		if !need.Empty() {
			w.db.answer(catalog, need, w.measure)
		}
	}
	for _, s := range commands {
		rounds := w.db.rounds
		got := w.db.apply(catalog, s.cmd, s.id, w.measure)
		reason, want := w.model.Apply(s.commandType, s.id, []byte(s.data))
		require.Equal(t, want, texts(got.Events), "%#v", s)
		require.Equal(t, reason, reasonOf(got), "%#v", s)
		require.LessOrEqual(t, w.db.rounds-rounds, 20, "rounds of loading for %#v", s)
		for _, e := range got.Events {
			require.NoError(t, w.fold.add(e, s.id))
		}
		w.checkInvariants(t)
	}
	w.db.save(catalog)
	require.Equal(t, w.fold.tables, w.db.tables)
	catalog.Committed()
	if rapid.IntRange(0, 2).Draw(t, "make room") == 0 {
		catalog.Forget(rapid.IntRange(0, 9).Draw(t, "room"))
	}
	require.Empty(t, catalog.Products())
}

func texts(events []product.Event) (texts []string) {
	for _, e := range events {
		texts = append(texts, fmt.Sprintf("%d %s %s", e.Sequence, e.Type, e.AppendData(nil)))
	}
	return texts
}

func reasonOf(r product.Result) string {
	if r.Refusal == nil {
		return ""
	}
	return string(r.Refusal.Reason)
}

func (w *world) checkInvariants(t *rapid.T) {
	for _, b := range w.fold.batches {
		require.GreaterOrEqual(t, b.Available(), int64(0), "%+v", b)
		onIt := int64(0)
		for _, l := range w.fold.lines {
			if l.State == product.Allocated && l.BatchRef == b.Ref {
				onIt += l.Qty
			}
			could := l.State == product.Waiting && l.ID.SKU == b.SKU && l.Qty <= b.Available()
			require.False(t, could, "%+v waits, and %+v could serve it", l, b)
		}
		require.Equal(t, onIt, b.Allocated, "%+v", b)
	}
}

// A command that needs something leaves no trace: its later result is what it would have been at
// once.
func TestCatalog_needLeavesNoTrace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(miserly)
		w.transaction(t, rapid.SliceOfN(anyCommand(), 1, 60).Draw(t, "past"))
		catalog := product.NewCatalog()
		for _, s := range rapid.SliceOfN(anyCommand(), 1, 20).Draw(t, "commands") {
			for {
				before := snapshot(catalog)
				result := catalog.Apply(s.cmd, s.id)
				if result.Need == nil {
					break
				}
				require.Equal(t, product.Result{Need: result.Need}, result)
				require.Equal(t, before, snapshot(catalog))
				again := catalog.Apply(s.cmd, s.id)
				require.Equal(t, result, again, "asked again without an answer, it needs the same")
				w.db.answer(catalog, result.Need, miserly)
			}
		}
	})
}

// snapshot is all that a saver can see.
func snapshot(c *product.Catalog) string {
	text := ""
	for _, p := range c.Products() {
		text += fmt.Sprintln(p.SKU, p.Version, p.Loaded, p.Waiting)
		for _, batches := range [][]*product.Batch{p.NewBatches(), p.UpdatedBatches()} {
			for _, b := range batches {
				text += fmt.Sprintf("%+v\n", *b)
			}
		}
		for _, lines := range [][]*product.Line{p.NewLines(), p.UpdatedLines()} {
			for _, l := range lines {
				text += fmt.Sprintf("%+v\n", *l)
			}
		}
	}
	return text
}
