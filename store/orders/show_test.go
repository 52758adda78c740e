package orders_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/store/orders"
)

// What is shown of a customer is theirs, whatever others are called, and by pages.
func TestShow_customersAndOrders(t *testing.T) {
	b := setup(t, 1)
	for _, id := range []string{"alice.1", "alice.10", "alice.2", "alice-b.1", "alicia.1", "al.1", "alice.é"} {
		b.Do(add(0, id, "CHAIR"))
	}
	b.Do(allocated(0, 1, "alice.1", "b1"))
	for _, id := range []string{"alice.1", "alice.10", "alice.2"} {
		b.Do(place(0, id))
	}
	ids := func(after string, limit int) (all []string) {
		list, err := orders.ListOrders(t.Context(), b.Store, "alice", after, limit, true)
		require.NoError(t, err)
		for _, o := range list {
			require.Len(t, o.Lines, 1)
			all = append(all, o.ID+" "+o.Phase)
		}
		return all
	}
	require.Equal(t, []string{"alice.é cart", "alice.2 placed"}, ids("", 2))
	require.Equal(t, []string{"alice.10 placed", "alice.1 placed"}, ids("alice.2", 100))
	require.Empty(t, ids("alice.1", 100))

	c, err := orders.ShowCustomer(t.Context(), b.Store, "alice")
	require.NoError(t, err)
	require.Equal(t, orders.CustomerView{ID: "alice", Placed: 3, VIP: true}, c)
	o, err := orders.ShowOrder(t.Context(), b.Store, "alice.1")
	require.NoError(t, err)
	require.NotNil(t, o.PlacedAt)
	require.Equal(t, []orders.LineView{{"1", "CHAIR", 1, "reserved", "b1"}}, o.Lines)

	_, err = orders.ShowCustomer(t.Context(), b.Store, "bob")
	require.ErrorIs(t, err, pgx.ErrNoRows)
	_, err = orders.ShowOrder(t.Context(), b.Store, "alice.3")
	require.ErrorIs(t, err, pgx.ErrNoRows)
	b.Do(storetest.Fail(add(0, "bob.1", "CHAIR")))
	c, err = orders.ShowCustomer(t.Context(), b.Store, "bob")
	require.NoError(t, err)
	require.Equal(t, "it failed 3 times alone: odd", c.Held.Message)
	require.False(t, c.VIP)
}
