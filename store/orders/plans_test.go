package orders_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/store/orders"
)

// What is asked again and again goes by indexes, and costs the same however much is over and done.
func TestQueries_goByWhatIsOpen(t *testing.T) {
	b := setup(t, 1)
	exec := func(sql string, args ...any) {
		_, err := b.DB.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	grow := func(from, to int) {
		exec(`
insert into orders select 'c' || n || '.1', case when n >= 5000 then 'dispatched' when n % 100 = 0 then 'cart' when n % 100 = 1 then 'placed' else 'dispatched' end::order_phase, now(), now()
from generate_series($1::int, $2::int) n`, from, to)
		exec(`
insert into order_lines select id, '1', 1, 'CHAIR', 1, case when phase = 'dispatched' then 'dispatched' else 'reserved' end::order_line_state, 'b' || n, 1, now(), now()
from generate_series($1::int, $2::int) n join orders on id = 'c' || n || '.1'`, from, to)
		exec(`insert into stock_batches select 'b' || n, 'CHAIR', true, 1 from generate_series($1::int, $2::int) n`, from, to)
		exec(`insert into early_facts select 'c' || n || '.2', 'CHAIR', '1', 'Allocated', 1, 'b1', '', 0, true from generate_series($1::int, $2::int) n`, from, to)
		exec(`analyze orders, order_lines, stock_batches, early_facts`)
	}
	explain := func(sql string, args ...any) (plan string, cost float64) {
		rows, err := b.DB.Query(t.Context(), "explain "+sql, args...)
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		plan = strings.Join(lines, "\n")
		cost, err = strconv.ParseFloat(regexp.MustCompile(`\.\.([0-9.]+) `).FindStringSubmatch(plan)[1], 64)
		require.NoError(t, err)
		return plan, cost
	}
	service := orders.Service(settings)
	some := []string{"c100.1", "c4.1", "c777.1"}
	queries := map[string]struct {
		sql  string
		args []any
	}{
		"orders_carts":         {service.Due.SQL, []any{time.Now(), time.Time{}, "", 100}},
		"orders_placed":        {service.Waiting.SQL, []any{100}},
		"order_lines_of_batch": {orders.PageSQL, []any{"b100", "c1", 100}},
		"orders_pkey":          {orders.CustomersOrdersSQL, []any{"c7", "c7.9", 100}},
		"order_lines_pkey":     {orders.LinesSQL, []any{some, 20_001}},
		"early_facts_pkey":     {orders.EarlySQL, []any{some}},
		"stock_batches_pkey":   {orders.BatchesSQL, []any{[]string{"b1"}, some, 20_001}},
	}
	costs := map[string]float64{}
	grow(1, 5_000)
	for index, q := range queries {
		_, costs[index] = explain(q.sql, q.args...)
	}
	grow(5_001, 50_000)
	for index, q := range queries {
		plan, cost := explain(q.sql, q.args...)
		require.Contains(t, plan, index)
		require.NotContains(t, plan, "Seq Scan on order")
		require.NotContains(t, plan, "Seq Scan on stock")
		require.NotContains(t, plan, "Seq Scan on early")
		require.Less(t, cost, 2*costs[index], "%s\n%s", index, plan)
	}
	require.Equal(t, 49, storetest.Ask[int](b, `select count(*) from orders where phase = 'cart'`))
}

// A session plans once how a transaction is saved, perhaps while the tables are empty.
func TestSave_isPlannedForManyRowsWhileThereAreNone(t *testing.T) {
	b := setup(t, 1)
	conn := b.Connect()
	exec := func(sql string, args ...any) time.Duration {
		t.Helper()
		began := time.Now()
		_, err := conn.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
		return time.Since(began)
	}
	const (
		customers = `select save_customers(array_agg('c' || n), array_agg($2::bigint), array_agg($2::bigint + 1), array_agg(1::bigint), array_agg(0::bigint), array_agg(1), array_agg(1::bigint), array_agg(1)) from generate_series(1, $1::int) n`
		batches   = `select save_batches(array_agg('b' || n), array_agg('CHAIR'::text), array_agg(true), array_agg($2::bigint), array_agg($2::bigint + 1), array_agg(true)) from generate_series(1, $1::int) n`
	)
	exec(`set plan_cache_mode = force_generic_plan; analyze customers, stock_batches`)
	exec(customers, 1, 0)
	exec(customers, 1, 1)
	exec(batches, 1, -1)
	exec(batches, 1, 0)
	exec(`truncate customers, stock_batches`)
	for statement, first := range map[string]int{customers: 0, batches: -1} {
		const few, many = 1_000, 32_000
		exec(statement, few, first)
		short := exec(statement, few, first+1)
		exec(`truncate customers, stock_batches`)
		exec(statement, many, first)
		long := exec(statement, many, first+1)
		t.Logf("%v for %d, %v for %d", short, few, long, many)
		require.Less(t, long/short, time.Duration(many/few*8), "the square would be %d times as long", many/few*many/few)
	}
}
