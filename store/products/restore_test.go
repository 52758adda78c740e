package products

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/store"
)

// backup is how a database is saved, and restored in place while its server runs on.
type backup struct{ save, restore func(b *bench) }

// copied has the database copied, dropped, and made again from its copy.
var copied = backup{
	save: func(b *bench) { b.onServer(`create database %_copy template %`) },
	restore: func(b *bench) {
		b.onServer(`drop database % with (force)`)
		b.onServer(`create database % template %_copy`)
		b.onServer(`drop database %_copy`)
	},
}

// loadedAgain has the tables emptied in a way, and loaded again.
func loadedAgain(emptied string) backup {
	const eachTable = `do $$
declare
    t text;
    c text;
begin
    foreach t in array array['kafka_cluster', 'positions', 'products', 'batches', 'lines', 'outbox'] loop
        select string_agg(quote_ident(column_name), ',') into c from information_schema.columns
        where table_schema = 'allocation' and table_name = t and is_generated = 'NEVER';
        execute replace(replace('%', 'TABLE', t), 'COLUMNS', c);
    end loop;
end $$`
	each := func(b *bench, statement string) { b.Exec(strings.ReplaceAll(eachTable, "%", statement)) }
	return backup{
		save: func(b *bench) {
			b.Exec(`create schema saved`)
			each(b, `create table saved.TABLE as select COLUMNS from TABLE`)
		},
		restore: func(b *bench) {
			each(b, emptied)
			each(b, `insert into TABLE (COLUMNS) overriding system value select COLUMNS from saved.TABLE`)
		},
	}
}

// onServer runs a statement about the database, %, which nobody may use meanwhile.
func (b *bench) onServer(statement string) {
	b.T.Helper()
	b.DB.Reset()
	b.BeforeEach(func(ctx context.Context, conn *pgx.Conn) bool { return conn.Ping(ctx) == nil })
	u, err := url.Parse(b.URL)
	require.NoError(b.T, err)
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	ctx := context.WithoutCancel(b.T.Context())
	conn, err := pgx.Connect(ctx, u.String())
	require.NoError(b.T, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1`, name)
	require.NoError(b.T, err)
	_, err = conn.Exec(ctx, strings.ReplaceAll(statement, "%", name))
	require.NoError(b.T, err, statement)
}

// A worker that lost nothing by a restore, and claims nothing, still remembers a product as it was
// before. Meanwhile another worker brings the product to the same version by other commands.
func TestApply_oversellsNothingAfterARestoreInPlace(t *testing.T) {
	for name, way := range map[string]backup{
		"dropped and made again":        copied,
		"truncated and loaded again":    loadedAgain(`truncate TABLE`),
		"deleted from and loaded again": loadedAgain(`delete from TABLE`),
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 3)
			require.NoError(t, b.RememberCluster(t.Context(), "cluster", "group"))
			b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":25}`))
			way.save(b)
			before, rows := b.Offsets[1], b.NextRow[1]
			b.Do(command(1, "Allocate", `{"orderid":"oA","sku":"CHAIR","qty":10}`))
			way.restore(b)
			b.Offsets[1], b.NextRow[1] = before, rows

			other := b.Open("other")
			mine := b.Claims
			b.Claims = b.ClaimFor(other, 2)
			replay := onlyPartition(b.Transaction(command(0, "Allocate", `{"orderid":"oC","sku":"CHAIR","qty":14}`)), 0)
			_, err := other.Apply(t.Context(), replay)
			require.NoError(t, err)

			b.Claims = mine
			applied := b.conflictThenApply(onlyPartition(b.Transaction(command(2, "Allocate", `{"orderid":"oD","sku":"CHAIR","qty":12}`)), 2))
			require.Equal(t, []string{`3 OutOfStock {"orderid":"oD","sku":"CHAIR","qty":12}`}, says(applied.Rows[0]))
		})
	}
}

// After a claim, no decision rests on what was remembered before, or on what a transaction that was
// in flight gives back later.
func TestClaim_forgetsWhatAppliersRemember(t *testing.T) {
	b := setup(t, 2)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`))
	size := func() int { return b.remembered().loaded.catalog.Size() }
	require.Positive(t, size())
	b.ClaimFor(b.Store, 1)
	require.Zero(t, size())

	// One that is in flight meanwhile, of another partition.
	var s *store.Store
	s = b.Interrupted(func() { b.ClaimFor(s, 1) })
	transaction := onlyPartition(b.Transaction(command(1, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":4}`)), 1)
	_, err := s.Apply(t.Context(), transaction)
	require.NoError(t, err)
	require.Zero(t, size())
}
