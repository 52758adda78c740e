package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// unasked is a database that nothing may be asked of.
type unasked struct{ t *testing.T }

func (u unasked) SendBatch(context.Context, *pgx.Batch) pgx.BatchResults {
	u.t.Fatal("the database was asked")
	return nil
}

// What an applier committed it does not read again: placing lines asks the database nothing.
func TestApply_readsNothingThatItRemembers(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50}`))
	b.apply(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`))
	tx, p := b.deciding(b.batch(
		command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":1}`),
		command(0, "ChangeBatchEta", `{"batchref":"b2","eta":"2030-01-01"}`),
		command(0, "Allocate", `{"orderid":"o3","sku":"CHAIR","qty":4}`),
	), unasked{t})
	require.NoError(t, p.Decide(t.Context(), tx))
	require.Equal(t, []string{
		`4 Allocated {"orderid":"o2","sku":"CHAIR","qty":1,"batchref":"b1"}`,
		`5 BatchEtaChanged {"batchref":"b2","sku":"CHAIR","eta":"2030-01-01"}`,
		`6 Allocated {"orderid":"o3","sku":"CHAIR","qty":4,"batchref":"b2"}`,
	}, says(newLedger(tx).rows[0]))
}

// A line that was placed long ago is taken for a new one once; the primary key tells, and then it
// is looked up.
func TestApply_findsALineThatItTookForANewOne(t *testing.T) {
	b := setup(t, 1)
	place := command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), place)
	b.remembered(0).newLines.recent = newRecent()

	batch := b.batch(place)
	_, err := b.Apply(t.Context(), batch)
	require.ErrorIs(t, err, worker.ErrConflict)
	applied, err := b.Apply(t.Context(), batch)
	require.NoError(t, err)
	require.Equal(t, []string{"no_effect"}, results(applied))
}

// Where one line was not new, others that follow may not be either: they are looked up at once.
func TestApply_presumesNothingAfterALineThatItTookForANewOne(t *testing.T) {
	b := setup(t, 1)
	first, second := command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":2}`), command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":2}`)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), first, second)
	b.remembered(0).newLines.recent = newRecent()

	_, err := b.Apply(t.Context(), b.batch(first))
	require.ErrorIs(t, err, worker.ErrConflict)
	require.Equal(t, []string{"no_effect"}, results(b.apply(second)))
}

// A line that was placed lately is looked up at once.
func TestApply_looksUpALineThatWasPlacedLately(t *testing.T) {
	b := setup(t, 1)
	place := command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), place)
	require.Equal(t, []string{"no_effect"}, results(b.apply(place)))
}

// A dispatch before the placing of its line, in one transaction: that the line is new is then not
// presumed, or it would be refused wrongly.
func TestApply_presumesNothingForOtherCommands(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`))
	b.remembered(0).newLines.recent = newRecent()
	applied := b.apply(command(0, "Dispatch", `{"orderid":"o1","sku":"CHAIR"}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`))
	require.Equal(t, []string{"changed", "no_effect"}, results(applied))
}

func TestApply_forgetsWhatIsNoLongerSo(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(b *bench)
		then      string
	}{
		"another worker changed the product": {
			func(b *bench) {
				other := b.open("other")
				_, err := other.Apply(b.t.Context(), onlyLane(b.batch(command(1, "ChangeBatchQuantity", `{"batchref":"b1","qty":0}`)), 1))
				require.NoError(b.t, err)
			},
			`3 OutOfStock {"orderid":"o1","sku":"CHAIR","qty":4}`,
		},
		"the server was started again, perhaps with an older database": {
			func(b *bench) { s := &b.caches.idle[0].server; s.started = s.started.Add(-time.Microsecond) },
			`2 Allocated {"orderid":"o1","sku":"CHAIR","qty":4,"batchref":"b1"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 2)
			b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`))
			c.meanwhile(b)
			batch := onlyLane(b.batch(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`)), 0)
			_, err := b.Apply(t.Context(), batch)
			require.ErrorIs(t, err, worker.ErrConflict)
			applied, err := b.Apply(t.Context(), batch)
			require.NoError(t, err)
			require.Equal(t, []string{c.then}, says(applied.Rows[0]))
		})
	}
}

// A product that another partition's command holds by now holds the commands of an applier that
// remembers it as free, too.
func TestApply_noticesAProductThatIsHeldByNow(t *testing.T) {
	for name, c := range map[string]struct {
		command    worker.Command
		remembered bool
	}{
		"the product":                          {command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`), true},
		"a batch of its":                       {command(0, "ChangeBatchEta", `{"batchref":"b1","eta":"2030-01-01"}`), true},
		"a batch that the command will make":   {command(0, "ChangeBatchEta", `{"batchref":"b2","eta":"2030-01-01"}`), false},
		"a batch that one behind it will make": {command(0, "ChangeBatchEta", `{"batchref":"b3","eta":"2030-01-01"}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 2)
			b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`))
			failed := command(1, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":5}`)
			failed.Failure = "it panicked"
			behind := command(1, "CreateBatch", `{"ref":"b3","sku":"CHAIR","qty":5}`)
			_, err := b.open("other").Apply(t.Context(), onlyLane(b.batch(failed, behind), 1))
			require.NoError(t, err)

			batch := onlyLane(b.batch(c.command), 0)
			applied, err := b.Apply(t.Context(), batch)
			if c.remembered {
				require.ErrorIs(t, err, worker.ErrConflict)
				applied, err = b.Apply(t.Context(), batch)
			}
			require.NoError(t, err)
			require.Equal(t, []string{"held"}, results(applied))
		})
	}
}

// A product that another applier freed is remembered as held once more: what would wait for it
// finds that out.
func TestApply_noticesAProductThatIsHeldNoLonger(t *testing.T) {
	b := setup(t, 1)
	failed := b.apply(fail(typed(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":10}`))))
	b.decide(0, failed.Rows[0][0].Number, "discarding")
	batch := b.batch(command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":10}`))
	_, err := b.pool.Exec(t.Context(), `delete from held_keys`)
	require.NoError(t, err)
	_, err = b.Apply(t.Context(), batch)
	require.ErrorIs(t, err, worker.ErrConflict)
	applied, err := b.Apply(t.Context(), batch)
	require.NoError(t, err)
	require.Equal(t, []string{"changed"}, results(applied))
}

// What is remembered is bounded by the products and batches that it is about, however many there
// are.
func TestMemory_isBounded(t *testing.T) {
	t.Parallel()
	m := newProducts()
	for n := range mostKnown + 1 {
		m.loaded.catalog.LearnProduct("SKU"+string(rune('0'+n%10))+time.Duration(n).String(), 1, 0)
	}
	m.Done(nil)
	require.LessOrEqual(t, m.loaded.catalog.Size(), mostKnown)
}

// A connection that lost its prepared statements is replaced: waiting would not bring them back.
func TestApply_replacesAConnectionWithoutItsStatements(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`))
	for _, conn := range b.pool.AcquireAllIdle(t.Context()) {
		_, err := conn.Exec(t.Context(), `deallocate all`, pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		conn.Release()
	}
	batch := b.batch(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`))
	_, err := b.Apply(t.Context(), batch)
	require.ErrorIs(t, err, worker.ErrOutage)
	_, err = b.Apply(t.Context(), batch)
	require.NoError(t, err)
}

// A line that was taken for a new one comes up among those of a batch that shrinks: that is a
// conflict too, found with the first load that shows it.
func TestApply_findsALineThatItTookForANewOneWhileABatchShrinks(t *testing.T) {
	b := setup(t, 1)
	place := command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), place)
	b.remembered(0).newLines.recent = newRecent()

	batch := b.batch(place, command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":3}`))
	_, err := b.Apply(t.Context(), batch)
	require.ErrorIs(t, err, worker.ErrConflict)
	applied, err := b.Apply(t.Context(), batch)
	require.NoError(t, err)
	require.Equal(t, []string{"no_effect", "changed"}, results(applied))
}

// Rows that contradict each other are an error at once, not after one load for each command: others
// wait for the transaction.
func TestApply_contradictionsAreFoundSoon(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`))
	b.sudo(`update batches set allocated = 20`)
	b.caches.idle[0] = b.newCache()
	_, err := b.Apply(t.Context(), b.batch(command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":3}`)))
	require.ErrorContains(t, err, "decide: 1 commands need what 3 loads did not tell: the stored rows contradict each other")
}

// A product with more open batches than an applier remembers: that none of them has enough for an
// order is asked once, and other products stay known.
func TestApply_readsOnceThatNoneOfVeryManyBatchesHasEnough(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"s1","sku":"SOFA","qty":50}`), command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1}`))
	b.sudo(fmt.Sprintf(`insert into batches (ref, sku, qty, first_qty) select 'c' || n, 'CHAIR', 1, 1 from generate_series(1, %d) n`, mostKnown+1000))
	b.caches.idle[0] = b.newCache()
	b.apply(command(0, "Allocate", `{"orderid":"o1","sku":"SOFA","qty":1}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":2}`))
	require.Less(t, b.remembered(0).loaded.catalog.Size(), 100)

	commands := []worker.Command{command(0, "Allocate", `{"orderid":"o2","sku":"SOFA","qty":1}`)}
	for n := range 60 { // of the first 64 batches
		commands = append(commands, command(0, "Allocate", `{"orderid":"p%d","sku":"CHAIR","qty":%d}`, n, 1+n%2))
	}
	tx, p := b.deciding(b.batch(commands...), unasked{t})
	require.NoError(t, p.Decide(t.Context(), tx))
}

// More products than an applier remembers: those that were used last stay known.
func TestApply_remembersTheProductsUsedLast(t *testing.T) {
	b := setup(t, 1)
	b.sudo(fmt.Sprintf(`insert into products (sku, version, waiting, last_source, last_row) select 'p' || n, 1, 0, 1, 0 from generate_series(1, %d) n`, mostKnown))
	b.sudo(`insert into batches (ref, sku, qty, first_qty) select 'b' || sku, sku, 9, 9 from products`)
	b.apply(command(0, "CreateBatch", `{"ref":"s1","sku":"SOFA","qty":50}`))
	for first := 1; first <= mostKnown; first += 4000 {
		commands := []worker.Command{command(0, "Allocate", `{"orderid":"o%d","sku":"SOFA","qty":1}`, first)}
		for n := first; n < first+4000; n++ {
			commands = append(commands, command(0, "Allocate", `{"orderid":"o1","sku":"p%d","qty":1}`, n))
		}
		b.apply(commands...)
		require.LessOrEqual(t, b.remembered(0).loaded.catalog.Size(), mostKnown)
	}
	loaded := b.remembered(0).loaded
	require.LessOrEqual(t, len(loaded.versions)+len(loaded.owners), mostKnown)
	tx, p := b.deciding(b.batch(
		command(0, "Allocate", `{"orderid":"o2","sku":"SOFA","qty":1}`),
		command(0, "Allocate", `{"orderid":"o2","sku":"p%d","qty":1}`, mostKnown-5),
	), unasked{t})
	require.NoError(t, p.Decide(t.Context(), tx))
}
