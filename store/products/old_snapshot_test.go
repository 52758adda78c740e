package products

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/worker"
)

// orders applies transactions, each with eight orders, or with the cancellations of the last ones.
func (b *bench) orders(transactions int) {
	for range transactions {
		var commands []worker.Command
		for i := range int64(8) {
			n, kind := b.Offsets[0]+i, "Allocate"
			if b.Offsets[0]/8%2 == 1 {
				n, kind = n-8, "Deallocate"
			}
			commands = append(commands, command(0, kind, `{"orderid":"o%d","sku":"CHAIR","qty":1}`, n))
		}
		b.Do(commands...)
	}
}

// looks is how often a page of the rows that each transaction changes was looked at, when so many
// changes of positions are counted.
func (b *bench) looks(changes int) (n int) {
	b.T.Helper()
	b.Close() // what a session did is counted at its end at the latest
	b.Store = b.Open("test")
	conn := b.Connect()
	testbed.Eventually(b.T, func() bool {
		counted := 0
		require.NoError(b.T, conn.QueryRow(b.T.Context(), `
			select sum(heap_blks_hit + heap_blks_read), (select n_tup_upd from pg_stat_user_tables where relname = 'positions')
			from pg_statio_user_tables where relname in ('positions', 'products', 'batches')`).Scan(&n, &counted))
		return counted >= changes
	})
	return n
}

// slowedBy has transactions applied in four steps: some to begin with, a window, many while the
// snapshot is open, and a window again. The last may look at little more than the first one.
type slowedBy struct {
	snapshot     string
	before       int // changes of positions before the first of these transactions
	changes      int // of positions by each transaction
	window, many int // transactions
	most         float64
}

func (s slowedBy) check(b *bench, apply func(transactions int)) {
	b.T.Helper()
	counted := s.before
	measured := func() int {
		start := b.looks(counted)
		apply(s.window)
		counted += s.changes * s.window
		return b.looks(counted) - start
	}
	apply(s.window)
	counted += s.changes * s.window
	usual := measured()
	b.Outsider(`set transaction isolation level repeatable read; ` + s.snapshot)
	apply(s.many)
	counted += s.changes * s.many
	late := measured()
	b.T.Logf("pages looked at in a transaction: %d, and %d under the snapshot", usual/s.window, late/s.window)
	require.Less(b.T, float64(late), s.most*float64(usual))
}

// setupWithoutVacuum is setup where nobody but transactions looks at pages.
func setupWithoutVacuum(t *testing.T, partitions int) *bench {
	t.Helper()
	b := setup(t, partitions)
	for _, table := range []string{"positions", "products", "batches"} {
		b.Exec(`alter table ` + table + ` set (autovacuum_enabled = off)`)
	}
	return b
}

// A report that somebody forgot keeps all versions of the few rows that every transaction changes.
func TestApply_takesLittleLongerWhileAnOldSnapshotIsOpen(t *testing.T) {
	b := setupWithoutVacuum(t, 1)
	var commands []worker.Command
	for i := range 4 {
		commands = append(commands, command(0, "CreateBatch", `{"ref":"b%d","sku":"CHAIR","qty":1000000}`, i))
	}
	b.Do(commands...)
	s := slowedBy{snapshot: `select from products`, before: 2, changes: 1, window: 200, many: 2000, most: 1.5}
	s.check(b, b.orders)
}

// Many products whose versions share pages: nearly each of their changes goes to another page, and
// leaves an entry of its key in the index.
func TestApply_takesLittleLongerForManyProductsWhileAnOldSnapshotIsOpen(t *testing.T) {
	const products = 200
	b := setupWithoutVacuum(t, 1)
	each := func(kind, format string) {
		var commands []worker.Command
		for i := range products {
			commands = append(commands, command(0, kind, format, i, i, b.Offsets[0]))
		}
		b.Do(commands...)
	}
	each("CreateBatch", `{"ref":"b%d","sku":"P%[2]d","qty":1000000}`)
	s := slowedBy{snapshot: `select from products`, before: 2, changes: 1, window: 10, many: 200, most: 4}
	s.check(b, func(transactions int) {
		for range transactions {
			each("Allocate", `{"orderid":"o%d-%[3]d","sku":"P%[2]d","qty":1}`)
		}
	})
}

// Positions of many partitions, which each transaction moves, share pages.
func TestApply_takesLittleLongerForManyPartitionsWhileAnOldSnapshotIsOpen(t *testing.T) {
	const partitions = 24
	b := setupWithoutVacuum(t, partitions)
	s := slowedBy{snapshot: `select from positions`, before: partitions, changes: partitions, window: 20, many: 250, most: 4}
	s.check(b, func(transactions int) {
		for range transactions {
			var commands []worker.Command
			for p := range partitions {
				commands = append(commands, command(p, "Allocate", `{"orderid":"p%d-%d","sku":"NONE","qty":1}`, p, b.Offsets[p]))
			}
			b.Do(commands...)
		}
	})
}

// meanwhile applies a batch, which waits for a transaction that is about to be committed.
func (b *bench) meanwhile(statement string, transaction worker.Transaction) error {
	b.T.Helper()
	conn := b.Connect()
	_, err := conn.Exec(b.T.Context(), `set application_name = 'allocation'; begin; `+statement)
	require.NoError(b.T, err)
	applied := make(chan error, 1)
	go func() {
		_, err := b.Apply(context.WithoutCancel(b.T.Context()), transaction)
		applied <- err
	}()
	testbed.Eventually(b.T, b.WaitsForLock)
	_, err = conn.Exec(b.T.Context(), `commit`)
	require.NoError(b.T, err)
	return <-applied
}

// What it waited for moved the row to another place, where it is looked at again.
func TestApply_looksAgainAtWhatItWaitedFor(t *testing.T) {
	var fenced *worker.FencedError
	for name, c := range map[string]struct {
		statement string
		conflict  bool
		fenced    bool
	}{
		"a position that is as it was":           {statement: `update positions set published_row = 1`},
		"a position that another worker claimed": {statement: `update positions set token = gen_random_uuid()`, fenced: true},
		"a position that moved":                  {statement: `update positions set next_offset = next_offset + 1`, fenced: true},
		"a product that is as it was":            {statement: `update products set waiting = waiting`},
		"a product that changed":                 {statement: `update products set version = version + 1`, conflict: true},
		"a product that is gone":                 {statement: `delete from products`, conflict: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 1)
			b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`))
			err := b.meanwhile(c.statement, b.Transaction(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`)))
			switch {
			case c.conflict:
				require.ErrorIs(t, err, worker.ErrConflict)
			case c.fenced:
				require.ErrorAs(t, err, &fenced)
			default:
				require.NoError(t, err)
				require.Equal(t, 2, b.Count(`select version::int from products`))
				require.Equal(t, 2, b.Count(`select next_row::int from positions`))
			}
		})
	}
}
