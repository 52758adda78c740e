package orders_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/domain/order"
	"allocation/store"
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
