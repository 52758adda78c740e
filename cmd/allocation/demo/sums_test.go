package demo_test

import (
	"database/sql"
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/demo"
	"allocation/deploy/testbed"
	"allocation/domain/order"
	"allocation/migrations"
	"allocation/store"
	"allocation/store/orders"
	"allocation/store/products"
	"allocation/store/warehouse"
)

// tables are those of all three services, with rows that no worker wrote.
type tables struct {
	*testing.T
	db    *sql.DB
	store *store.Store
}

func newTables(t *testing.T) *tables {
	t.Helper()
	url := testbed.Migrated(t)
	settings, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	d := &tables{T: t, db: stdlib.OpenDB(*settings)}
	t.Cleanup(func() { require.NoError(t, d.db.Close()) })
	for schema, service := range map[migrations.Schema]store.Service{"orders": orders.Service(order.Settings{}), "warehouse": warehouse.Service} {
		_, err := migrations.Up(t.Context(), d.db, migrations.Options{Schema: schema, Lines: service.Lines()})
		require.NoError(t, err)
	}
	require.NoError(t, demo.MakeIndexes(t.Context(), url))
	require.NoError(t, demo.MakeIndexes(t.Context(), url), "at the next start")
	d.store, err = store.Open(t.Context(), store.Options{Service: products.Service, URL: url})
	require.NoError(t, err)
	t.Cleanup(d.store.Close)
	d.fill()
	return d
}

// fill makes an article with batches that add up, and customers.
func (d *tables) fill() {
	d.Helper()
	d.exec(`
insert into allocation.products (sku, version, waiting, last_source, last_row) values ('CHAIR', 7, 0, 1, 20);
insert into allocation.batches (ref, sku, qty, allocated, first_qty, revision) values
    ('CHAIR.2', 'CHAIR', 60, 10, 100, 3), ('CHAIR.3', 'CHAIR', 50, 0, 50, null), ('mine', 'CHAIR', 5, 0, 5, null);
insert into allocation.outbox (source, row_no, command_offset, event_no, type, key, subject, sequence, value) values
    (1, 18, 1, 0, 'Allocated', 'CHAIR', 'o', 6, '{}'),
    (1, 19, 1, 0, 'Dispatched', 'LAMP', 'o', 9, '{"batchref":"CHAIR.2","qty":1000}'),
    (1, 20, 2, 0, 'Dispatched', 'CHAIR', 'o', 7, '{"orderid":"o","sku":"CHAIR","qty":4,"batchref":"CHAIR.2"}');
insert into warehouse.ledgers (key, state, version, last_source, last_row, last_day, changes) values ('CHAIR', '{"fact": 5, "last": 4,
    "over": {"batches": 1, "received": 30, "lost": 5, "shipped": 25}, "batches": [
    {"ref": "CHAIR.2", "received": 100, "lost": 9, "shipped": 29, "picked": 0, "arrived": true, "told": [{"revision": -1, "lost": 0}, {"revision": 2, "lost": 7}, {"revision": 4, "lost": 9}]},
    {"ref": "CHAIR.3", "received": 50, "lost": 0, "shipped": 0, "picked": 0, "arrived": true, "told": [{"revision": -1, "lost": 0}]},
    {"ref": "CHAIR.4", "received": 70, "lost": 0, "shipped": 0, "picked": 0, "arrived": false, "eta": "2030-01-01", "told": [{"revision": -1, "lost": 0}]}]}', 1, 1, 1, 1, 1);
insert into orders.customers (id, version, sequence, placed, last_source, last_row, last_day) values ('ada', 1, 1, 3, 1, 1, 1), ('ben', 1, 1, 2, 1, 1, 1);
insert into orders.outbox (source, row_no, command_offset, event_no, type, key, subject, sequence, value) values
    (1, 1, 1, 0, 'CustomerBecameVIP', 'ada', 'ada.3', 1, '{}'), (1, 2, 1, 0, 'OrderPlaced', 'ben', 'ben.2', 1, '{}');
insert into orders.orders (id, phase) values ('ada.1', 'dispatched'), ('ada.2', 'dispatched'), ('ada.3', 'placed')`)
}

func (d *tables) exec(statements string) {
	d.Helper()
	_, err := d.db.ExecContext(d.Context(), statements)
	require.NoError(d, err)
}

func (d *tables) read() *demo.Sums {
	d.Helper()
	s, err := demo.ReadSums(d.Context(), d.store)
	require.NoError(d, err)
	return s
}

// Dispatches count before the warehouse has heard of them. Losses count by stock's revision.
// Batches on their way do not count, nor do those of somebody else.
func TestSums(t *testing.T) {
	t.Parallel()
	d := newTables(t)
	s := d.read()
	require.True(t, s.AddsUp, "%+v", s.Differ)
	require.Equal(t, []int64{180, 12, 100, 10, 58}, []int64{s.Received, s.Lost, s.Free, s.Allocated, s.Dispatched})
	require.Equal(t, []any{2, int64(1), []string{"mine"}}, []any{s.Batches, s.Over, s.Others})
	require.Equal(t, demo.VIPs{Due: 1, Told: 1, Differ: []string{}}, s.VIPs)
	text, err := json.Marshal(s.Orders)
	require.NoError(t, err)
	require.Contains(t, string(text), `{"state":"placed","count":1},{"state":"ready","count":0},{"state":"dispatched","count":2}`)
}

// Each way in which it may not add up is seen, and names the batch.
func TestSums_differ(t *testing.T) {
	t.Parallel()
	d := newTables(t)
	ledger := func(path, value string) string {
		return `update warehouse.ledgers set state = jsonb_set(state, '{` + path + `}', '` + value + `') where key = 'CHAIR'`
	}
	for what, c := range map[string]struct{ statement, ref, says string }{
		"the ledger received more":     {ledger("batches,1,received", "51"), "CHAIR.3", "1 of the ledger are not at stock"},
		"the ledger lost less":         {ledger("batches,0,told,1,lost", "6"), "CHAIR.2", "1 of the ledger are not at stock"},
		"the ledger shipped more":      {ledger("batches,0,shipped", "31"), "CHAIR.2", "+2 are at stock that the ledger does not have"},
		"stock has more":               {`update allocation.batches set qty = 51 where ref = 'CHAIR.3'`, "CHAIR.3", "+1 are at stock that the ledger does not have"},
		"stock does not know a batch":  {`delete from allocation.batches where ref = 'CHAIR.2'`, "CHAIR.2", "stock does not have it"},
		"the ledger forgot a batch":    {`update warehouse.ledgers set state = state #- '{batches,1}'`, "CHAIR.3", "stock has it, and the ledger says that nothing is left"},
		"what was told is forgotten":   {ledger("batches,0,told", `[{"revision": 4, "lost": 9}]`), "CHAIR.2", "no longer knows what it told"},
		"what is over does not add up": {ledger("over,shipped", "24"), "", "its batches of which nothing is left do not add up"},
		"an event is not kept":         {ledger("fact", "4"), "", ""},
		"no event is kept":             {`truncate allocation.outbox`, "", ""},
	} {
		d.exec(c.statement)
		s := d.read()
		if c.says == "" {
			require.Equal(t, []string{"CHAIR"}, s.Behind, what)
		} else {
			require.False(t, s.AddsUp, what)
			require.Len(t, s.Differ, 1, what)
			require.Equal(t, c.ref, s.Differ[0].Ref, what)
			require.Contains(t, s.Differ[0].Says, c.says, what)
		}
		d.exec(`truncate allocation.products, allocation.batches, allocation.outbox, warehouse.ledgers, orders.customers, orders.outbox, orders.orders`)
		d.fill()
		require.True(t, d.read().AddsUp)
	}
	d.exec(`insert into orders.customers (id, version, sequence, placed, last_source, last_row, last_day) values ('cleo', 1, 1, 5, 1, 1, 1)`)
	require.Equal(t, demo.VIPs{Due: 2, Told: 1, Differ: []string{"cleo"}}, d.read().VIPs)
}
