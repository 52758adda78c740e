package orders_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/domain/order"
	"allocation/store"
	"allocation/store/orders"
)

// Carts are due by the time of their first batch, and no longer when they are placed.
func TestDue_findsCarts(t *testing.T) {
	b := setup(t, 1)
	at := func(minutes int) time.Time { return order.FirstTime.Add(time.Duration(minutes) * time.Minute) }
	for i, id := range []string{"alice.1", "bob.1", "carol.1", "dave.1"} {
		made, got := add(0, id, "CHAIR"), allocated(0, int64(i+1), id, "b1")
		made.Cause.Time, got.Cause.Time = at(0).UnixMilli(), at(10-i).UnixMilli()
		b.Do(made, got)
	}
	b.Do(place(0, "bob.1"))
	due := func(now time.Time, behind store.DueCommand, most int) (names []string, last store.DueCommand) {
		found, err := b.DueCommands(t.Context(), now, behind, most)
		require.NoError(t, err)
		for _, last = range found {
			names = append(names, last.Name)
		}
		return names, last
	}
	names, last := due(at(39), store.DueCommand{}, 2)
	require.Equal(t, []string{"dave.1", "carol.1"}, names, "30 minutes after 7 and 8")
	require.Equal(t, store.DueCommand{At: at(38).Local(), Key: "carol", Name: "carol.1", Data: `{"customerid" : "carol", "cartid" : "carol.1"}`}, last)
	names, _ = due(at(39), last, 2)
	require.Empty(t, names)
	names, _ = due(at(40), last, 2)
	require.Equal(t, []string{"alice.1"}, names)
}

// Behind a held customer each ExpireCart would only wait, and be sent again.
func TestDue_leavesHeldCustomersAlone(t *testing.T) {
	b := setup(t, 1)
	b.Do(add(0, "alice.1", "CHAIR"), storetest.Fail(place(0, "alice.1")))
	due, err := b.DueCommands(t.Context(), time.Now().Add(time.Hour), store.DueCommand{}, 10)
	require.NoError(t, err)
	require.Empty(t, due)
	b.Exec(`delete from held_keys`)
	due, err = b.DueCommands(t.Context(), time.Now().Add(time.Hour), store.DueCommand{}, 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
}

// What is asked again and again goes by indexes that have only what is open.
func TestQueries_goByWhatIsOpen(t *testing.T) {
	b := setup(t, 1)
	b.Exec(`
insert into orders select 'c' || n || '.1', case when n % 1000 = 0 then 'cart' when n % 1000 = 1 then 'placed' else 'dispatched' end::order_phase, now(), now() from generate_series(1, 50000) n;
insert into order_lines select id, '1', 1, 'CHAIR', 1, case when phase = 'dispatched' then 'dispatched' else 'reserved' end::order_line_state, 'b1', 1, now(), now() from orders;
analyze orders, order_lines;`)
	service := orders.Service(settings)
	for index, ask := range map[string]struct {
		sql  string
		args []any
	}{
		"orders_carts":         {service.Due.SQL, []any{time.Now(), time.Time{}, "", 100}},
		"orders_placed":        {service.Waiting.SQL, []any{100}},
		"order_lines_of_batch": {orders.PageSQL, []any{"b1", "c1", 100}},
	} {
		rows, err := b.DB.Query(t.Context(), "explain "+ask.sql, ask.args...)
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		plan := strings.Join(lines, "\n")
		require.Contains(t, plan, index)
		require.NotContains(t, plan, "Seq Scan on order")
	}
	require.Equal(t, 50, storetest.Ask[int](b, `select count(*) from orders where phase = 'cart'`))
}
