package products

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// What an applier committed it does not read again: placing lines asks the database nothing.
func TestApply_readsNothingThatItRemembers(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50}`))
	b.Do(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`))
	applied := b.DoWithoutLoad(
		command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":1}`),
		command(0, "ChangeBatchEta", `{"batchref":"b2","eta":"2030-01-01"}`),
		command(0, "Allocate", `{"orderid":"o3","sku":"CHAIR","qty":4}`),
	)
	require.Equal(t, []string{
		`4 Allocated {"orderid":"o2","sku":"CHAIR","qty":1,"batchref":"b1"}`,
		`5 BatchEtaChanged {"batchref":"b2","sku":"CHAIR","eta":"2030-01-01"}`,
		`6 Allocated {"orderid":"o3","sku":"CHAIR","qty":4,"batchref":"b2"}`,
	}, says(applied.Rows[0]))
}

// A line that was placed long ago is taken for a new one once; the primary key tells, and then it
// is looked up.
func TestApply_findsALineThatItTookForANewOne(t *testing.T) {
	b := setup(t, 1)
	place := command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), place)
	b.remembered().newLines.recent = newRecent()

	require.Equal(t, []string{"no_effect"}, results(b.conflictThenApply(b.Transaction(place))))
}

// Where one line was not new, others that follow may not be either: they are looked up at once.
func TestApply_presumesNothingAfterALineThatItTookForANewOne(t *testing.T) {
	b := setup(t, 1)
	first, second := command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":2}`), command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":2}`)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), first, second)
	b.remembered().newLines.recent = newRecent()

	_, err := b.Apply(t.Context(), b.Transaction(first))
	require.ErrorIs(t, err, worker.ErrConflict)
	require.Equal(t, []string{"no_effect"}, results(b.Do(second)))
}

// A line that was placed lately is looked up at once.
func TestApply_looksUpALineThatWasPlacedLately(t *testing.T) {
	b := setup(t, 1)
	place := command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), place)
	require.Equal(t, []string{"no_effect"}, results(b.Do(place)))
}

// A dispatch before the placing of its line, in one transaction: that the line is new is then not
// presumed, or it would be refused wrongly.
func TestApply_presumesNothingForOtherCommands(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`))
	b.remembered().newLines.recent = newRecent()
	applied := b.Do(command(0, "Dispatch", `{"orderid":"o1","sku":"CHAIR"}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`))
	require.Equal(t, []string{"changed", "no_effect"}, results(applied))
}

func TestApply_forgetsWhatIsNoLongerSo(t *testing.T) {
	b := setup(t, 2)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`))
	_, err := b.Open("other").Apply(t.Context(), onlyPartition(b.Transaction(command(1, "ChangeBatchQuantity", `{"batchref":"b1","qty":0}`)), 1))
	require.NoError(t, err)
	applied := b.conflictThenApply(onlyPartition(b.Transaction(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)), 0))
	require.Equal(t, []string{`3 OutOfStock {"orderid":"o1","sku":"CHAIR","qty":1}`}, says(applied.Rows[0]))
}

// conflictThenApply applies a transaction that finds at first that it rested on what is no longer
// so.
func (b *bench) conflictThenApply(transaction worker.Transaction) worker.Applied {
	b.T.Helper()
	_, err := b.Apply(b.T.Context(), transaction)
	require.ErrorIs(b.T, err, worker.ErrConflict)
	applied, err := b.Apply(b.T.Context(), transaction)
	require.NoError(b.T, err)
	return applied
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
			b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`))
			failed := fail(command(1, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":5}`))
			behind := command(1, "CreateBatch", `{"ref":"b3","sku":"CHAIR","qty":5}`)
			_, err := b.Open("other").Apply(t.Context(), onlyPartition(b.Transaction(failed, behind), 1))
			require.NoError(t, err)

			transaction := onlyPartition(b.Transaction(c.command), 0)
			if c.remembered {
				_, err := b.Apply(t.Context(), transaction)
				require.ErrorIs(t, err, worker.ErrConflict)
			}
			applied, err := b.Apply(t.Context(), transaction)
			require.NoError(t, err)
			require.Equal(t, []string{"held"}, results(applied))
		})
	}
}

// What is remembered is bounded by the products and batches that it is about, however many there
// are.
func TestRemembered_isBounded(t *testing.T) {
	t.Parallel()
	m := newAggregate()
	for n := range maxKnown + 1 {
		m.loaded.catalog.LearnProduct("SKU"+string(rune('0'+n%10))+time.Duration(n).String(), 1, 0)
	}
	m.Done(nil)
	require.LessOrEqual(t, m.loaded.catalog.Size(), maxKnown)
}

// A connection that lost its prepared statements is replaced: waiting would not bring them back.
func TestApply_replacesAConnectionWithoutItsStatements(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`))
	var once sync.Once
	b.BeforeEach(func(ctx context.Context, conn *pgx.Conn) bool {
		once.Do(func() {
			_, err := conn.Exec(ctx, `deallocate all`, pgx.QueryExecModeSimpleProtocol)
			require.NoError(t, err)
		})
		return true
	})
	transaction := b.Transaction(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`))
	_, err := b.Apply(t.Context(), transaction)
	require.ErrorIs(t, err, worker.ErrOutage)
	_, err = b.Apply(t.Context(), transaction)
	require.NoError(t, err)
}

// A line that was taken for a new one comes up among those of a batch that shrinks: that is a
// conflict too, found with the first load that shows it.
func TestApply_findsALineThatItTookForANewOneWhileABatchShrinks(t *testing.T) {
	b := setup(t, 1)
	place := command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), place)
	b.remembered().newLines.recent = newRecent()

	applied := b.conflictThenApply(b.Transaction(place, command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":3}`)))
	require.Equal(t, []string{"no_effect", "changed"}, results(applied))
}

// Rows that contradict each other are an error at once, not after one load for each command: others
// wait for the transaction.
func TestApply_contradictionsAreFoundSoon(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`))
	b.Exec(`update batches set allocated = 20`)
	b.Store = b.Open("again")
	_, err := b.Apply(t.Context(), b.Transaction(command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":3}`)))
	require.ErrorContains(t, err, "decide: 1 commands need what 3 loads did not tell: the stored rows contradict each other")
}

// A product with more open batches than an applier remembers: that none of them has enough for an
// order is asked once, and other products stay known.
func TestApply_readsOnceThatNoneOfVeryManyBatchesHasEnough(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"s1","sku":"SOFA","qty":50}`), command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":1}`))
	b.Exec(fmt.Sprintf(`insert into batches (ref, sku, qty, first_qty) select 'c' || n, 'CHAIR', 1, 1 from generate_series(1, %d) n`, maxKnown+1000))
	b.Store = b.Open("again")
	b.Do(command(0, "Allocate", `{"orderid":"o1","sku":"SOFA","qty":1}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":2}`))
	require.Less(t, b.remembered().loaded.catalog.Size(), 100)

	commands := []worker.Command{command(0, "Allocate", `{"orderid":"o2","sku":"SOFA","qty":1}`)}
	for n := range 60 { // of the first 64 batches
		commands = append(commands, command(0, "Allocate", `{"orderid":"p%d","sku":"CHAIR","qty":%d}`, n, 1+n%2))
	}
	b.DoWithoutLoad(commands...)
}

// More products than an applier remembers: those that were used last stay known.
func TestApply_remembersTheProductsUsedLast(t *testing.T) {
	b := setup(t, 1)
	b.Exec(fmt.Sprintf(`insert into products (sku, version, waiting, last_source, last_row) select 'p' || n, 1, 0, 1, 0 from generate_series(1, %d) n`, maxKnown))
	b.Exec(`insert into batches (ref, sku, qty, first_qty) select 'b' || sku, sku, 9, 9 from products`)
	b.Do(command(0, "CreateBatch", `{"ref":"s1","sku":"SOFA","qty":50}`))
	for first := 1; first <= maxKnown; first += 4000 {
		commands := []worker.Command{command(0, "Allocate", `{"orderid":"o%d","sku":"SOFA","qty":1}`, first)}
		for n := first; n < first+4000; n++ {
			commands = append(commands, command(0, "Allocate", `{"orderid":"o1","sku":"p%d","qty":1}`, n))
		}
		b.Do(commands...)
		require.LessOrEqual(t, b.remembered().loaded.catalog.Size(), maxKnown)
		b.DoWithoutLoad(
			command(0, "Allocate", `{"orderid":"p%d","sku":"SOFA","qty":1}`, first),
			command(0, "Allocate", `{"orderid":"o2","sku":"p%d","qty":1}`, first+3999),
		)
	}
	loaded := b.remembered().loaded
	require.LessOrEqual(t, len(loaded.versions)+len(loaded.owners), maxKnown)
}
