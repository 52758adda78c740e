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

// A report that somebody forgot keeps all versions of the few rows that every transaction changes.
func TestApply_takesLittleLongerWhileAnOldSnapshotIsOpen(t *testing.T) {
	const window, transactions = 200, 2000
	b := setup(t, 1)
	for _, table := range []string{"positions", "products", "batches"} {
		b.Exec(`alter table ` + table + ` set (autovacuum_enabled = off)`) // it looks at pages, too
	}
	var commands []worker.Command
	for i := range 4 {
		commands = append(commands, command(0, "CreateBatch", `{"ref":"b%d","sku":"CHAIR","qty":1000000}`, i))
	}
	b.Do(commands...)
	b.orders(window)
	changes := 2 + window // with the claim, and what made the batches
	start := b.looks(changes)
	b.orders(window)
	changes += window
	usual := b.looks(changes) - start

	b.Outsider(`set transaction isolation level repeatable read; select from products`)
	b.orders(transactions)
	changes += transactions
	start = b.looks(changes)
	b.orders(window)
	changes += window
	late := b.looks(changes) - start
	t.Logf("pages looked at in a transaction: %d, and %d under the snapshot", usual/window, late/window)
	require.Less(t, 2*late, 3*usual)
}

// Many products whose versions share pages: nearly each of their changes goes to another page, and
// leaves an entry of its key in the index.
func TestApply_takesLittleLongerForManyProductsWhileAnOldSnapshotIsOpen(t *testing.T) {
	const products, window, transactions = 200, 10, 200
	b := setup(t, 1)
	for _, table := range []string{"positions", "products", "batches"} {
		b.Exec(`alter table ` + table + ` set (autovacuum_enabled = off)`)
	}
	each := func(kind, format string) {
		var commands []worker.Command
		for i := range products {
			commands = append(commands, command(0, kind, format, i, i, b.Offsets[0]))
		}
		b.Do(commands...)
	}
	order := func(times int) {
		for range times {
			each("Allocate", `{"orderid":"o%d-%[3]d","sku":"P%[2]d","qty":1}`)
		}
	}
	each("CreateBatch", `{"ref":"b%d","sku":"P%[2]d","qty":1000000}`)
	order(window)
	changes := 2 + window // with the claim, and what made the batches
	start := b.looks(changes)
	order(window)
	changes += window
	usual := b.looks(changes) - start

	b.Outsider(`set transaction isolation level repeatable read; select from products`)
	order(transactions)
	changes += transactions
	start = b.looks(changes)
	order(window)
	changes += window
	late := b.looks(changes) - start
	t.Logf("pages looked at in a transaction: %d, and %d under the snapshot", usual/window, late/window)
	require.Less(t, late, 4*usual)
}

// Positions of many partitions, which each transaction moves, share pages.
func TestApply_takesLittleLongerForManyPartitionsWhileAnOldSnapshotIsOpen(t *testing.T) {
	const partitions, window, transactions = 24, 20, 250
	b := setup(t, partitions)
	for _, table := range []string{"positions", "products", "batches"} {
		b.Exec(`alter table ` + table + ` set (autovacuum_enabled = off)`)
	}
	everywhere := func(times int) {
		for range times {
			var commands []worker.Command
			for p := range partitions {
				commands = append(commands, command(p, "Allocate", `{"orderid":"p%d-%d","sku":"NONE","qty":1}`, p, b.Offsets[p]))
			}
			b.Do(commands...)
		}
	}
	everywhere(window)
	changes := partitions * (1 + window) // with the claim
	start := b.looks(changes)
	everywhere(window)
	changes += partitions * window
	usual := b.looks(changes) - start

	b.Outsider(`set transaction isolation level repeatable read; select from positions`)
	everywhere(transactions)
	changes += partitions * transactions
	start = b.looks(changes)
	everywhere(window)
	changes += partitions * window
	late := b.looks(changes) - start
	t.Logf("pages looked at in a transaction: %d, and %d under the snapshot", usual/window, late/window)
	require.Less(t, late, 4*usual)
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
	testbed.Eventually(b.T, func() (waits bool) {
		require.NoError(b.T, b.DB.QueryRow(b.T.Context(),
			`select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')`).Scan(&waits))
		return waits
	})
	_, err = conn.Exec(b.T.Context(), `commit`)
	require.NoError(b.T, err)
	return <-applied
}

// What it waited for moved the row to another place, where it is looked at again.
func TestApply_looksAgainAtWhatItWaitedFor(t *testing.T) {
	order := func() worker.Command { return command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`) }
	claimed := func(t *testing.T) *bench {
		b := setup(t, 1)
		b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`))
		return b
	}
	t.Run("a position that is as it was", func(t *testing.T) {
		b := claimed(t)
		require.NoError(t, b.meanwhile(`update positions set published_row = 1`, b.Transaction(order())))
		var published, next int64
		require.NoError(t, b.DB.QueryRow(t.Context(), `select published_row, next_row from positions`).Scan(&published, &next))
		require.Equal(t, []int64{1, 2}, []int64{published, next})
	})
	t.Run("a position that another worker claimed", func(t *testing.T) {
		b := claimed(t)
		var fenced *worker.FencedError
		require.ErrorAs(t, b.meanwhile(`update positions set token = gen_random_uuid()`, b.Transaction(order())), &fenced)
	})
	t.Run("a position that moved", func(t *testing.T) {
		b := claimed(t)
		var fenced *worker.FencedError
		require.ErrorAs(t, b.meanwhile(`update positions set next_offset = next_offset + 1`, b.Transaction(order())), &fenced)
	})
	t.Run("a product that is as it was", func(t *testing.T) {
		b := claimed(t)
		require.NoError(t, b.meanwhile(`update products set waiting = waiting`, b.Transaction(order())))
		var version int64
		require.NoError(t, b.DB.QueryRow(t.Context(), `select version from products`).Scan(&version))
		require.Equal(t, int64(2), version)
	})
	t.Run("a product that changed", func(t *testing.T) {
		b := claimed(t)
		require.ErrorIs(t, b.meanwhile(`update products set version = version + 1`, b.Transaction(order())), worker.ErrConflict)
	})
	t.Run("a product that is gone", func(t *testing.T) {
		b := claimed(t)
		require.ErrorIs(t, b.meanwhile(`delete from products`, b.Transaction(order())), worker.ErrConflict)
	})
}
