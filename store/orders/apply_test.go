package orders_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/storetest"
	"allocation/domain/order"
	"allocation/outbox"
	"allocation/worker"
)

const ready = `4 OrderReady {"customerid":"alice","orderid":"alice.1","lines":[{"sku":"CHAIR","lineid":"1","qty":1,"batchref":"b1","fact":7}]}`

func TestApply_publishesWhatHappenedAndWhatStockIsAsked(t *testing.T) {
	b := setup(t, 2)
	applied := b.Do(add(0, "alice.1", "CHAIR"), place(0, "alice.1"), place(0, "bob.1"))
	require.Equal(t, []string{"changed", "changed", "refused"}, storetest.Results(applied))
	require.Equal(t, []string{
		`1 CartLineAdded {"customerid":"alice","orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":1}`,
		`0 Allocate {"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":1}`,
		`2 OrderPlaced {"customerid":"alice","orderid":"alice.1"}`,
		`refused unknown_cart`,
	}, storetest.Says(applied.Rows[0]))
	allocate := applied.Rows[0][1]
	require.Equal(t, []string{"alice", "CHAIR", "alice.1", "alice.1"}, []string{allocate.Key, allocate.RecordKey, allocate.Subject, allocate.Cause.CorrelationID})

	// What comes by another partition is published after it, and so is what goes to stock.
	applied = b.Do(fact(1, 1, "AllocationRejected", `{"orderid":"alice.1","sku":"CHAIR","lineid":"1","reason":"unknown_sku"}`), add(0, "alice.2", "CHAIR"))
	require.Equal(t, []string{
		`3 CartLineRejected {"customerid":"alice","orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":1,"reason":"unknown_sku"}`,
		`4 OrderCancelled {"customerid":"alice","orderid":"alice.1","reason":"empty"}`,
	}, storetest.Says(applied.Rows[1]))
	require.Equal(t, outbox.Predecessor{Source: b.Claims[0].Source.ID, Row: 2}, applied.Rows[1][0].After)
	require.Equal(t, outbox.Predecessor{Source: b.Claims[1].Source.ID, Row: 1}, applied.Rows[0][0].After)
}

// Facts about what is not a customer's order, and old ones, count as ignored.
func TestApply_ignoresWhatIsNotItsOwn(t *testing.T) {
	b := setup(t, 1)
	b.Do(add(0, "alice.1", "CHAIR"))
	applied := b.Do(
		allocated(0, 7, "somebody else's", "b1"), allocated(0, 7, "carol.1", "b1"), fact(0, 7, "BatchQuantityChanged", `{"batchref":"b1","sku":"CHAIR","qty":1}`),
		allocated(0, 7, "alice.1", "b1"), allocated(0, 6, "alice.1", "b2"), fact(0, 0, "Allocated", `{"orderid":"alice.1","sku":"CHAIR","lineid":"1","batchref":"b1"}`),
		storetest.Command(0, "Allocated", `{"orderid":"alice.1","sku":"CHAIR","lineid":"1","batchref":"b1"}`),
	)
	require.Equal(t, []string{"ignored", "ignored", "ignored", "no_effect", "ignored", "refused", "refused"}, storetest.Results(applied))
	require.Equal(t, []string{"refused malformed", "refused unknown_type"}, storetest.Says(applied.Rows[0]))
	require.Equal(t, 1, b.Count(`select count(*) from customers`))
}

// An event of stock may come before its line, where the database lost commits.
func TestApply_keepsWhatComesBeforeItsLine(t *testing.T) {
	b := setup(t, 2)
	adds := storetest.OnlyPartition(b.Transaction(add(0, "alice.1", "CHAIR")), 0)
	s := b.Interrupted(func() {
		require.Equal(t, []string{"no_effect", "changed"}, storetest.Results(b.Do(early("alice.1"), arrives(1, 8, "b1"))))
	})
	_, err := s.Apply(t.Context(), adds)
	require.ErrorIs(t, err, worker.ErrConflict, "the line was added without what was kept meanwhile")
	require.Equal(t, 1, b.Count(`select count(*) from early_facts`))
	applied := b.Do(add(0, "alice.1", "CHAIR"))
	require.Equal(t, `0 ReviewOrder {"customerid":"alice","orderid":"alice.1"}`, storetest.Says(applied.Rows[0])[2])
	applied = b.Do(place(0, "alice.1"), reviewOrder(0, "alice.1"))
	require.Equal(t, []string{
		`2 OrderPlaced {"customerid":"alice","orderid":"alice.1"}`,
		`0 ReviewOrder {"customerid":"alice","orderid":"alice.1"}`, // what is kept waits for it
		`3` + ready[1:],
	}, storetest.Says(applied.Rows[0]))
	require.Zero(t, b.Count(`select count(*) from early_facts`))

	// What nobody wants is no order of here. It goes when the next is kept.
	b.Do(early("bob.1"))
	_, err = b.DB.Exec(t.Context(), `update early_facts set kept_at = now() - interval '49 hours'`)
	require.NoError(t, err)
	b.Do(early("carol.1"))
	require.Equal(t, "carol.1", storetest.Ask[string](b, `select string_agg(order_id, ' ') from early_facts`))
}

// early has an order put on a batch that it asked for.
func early(id string) worker.Command {
	c := allocated(1, 7, id, "b1")
	c.Cause.CorrelationID = id
	return c
}

// A batch may arrive while a line is given to it. Whichever transaction commits first, the order is
// ready in the end.
func TestApply_aBatchArrivesWhileALineComesToIt(t *testing.T) {
	t.Run("the batch is first", func(t *testing.T) {
		b := setup(t, 2)
		b.Do(add(0, "alice.1", "CHAIR"), place(0, "alice.1"))
		line := storetest.OnlyPartition(b.Transaction(allocated(0, 7, "alice.1", "b1")), 0)
		s := b.Interrupted(func() {
			applied, err := b.Apply(t.Context(), storetest.OnlyPartition(b.Transaction(arrives(1, 8, "b1")), 1))
			require.NoError(t, err)
			require.Equal(t, []string{`0 ReviewBatch {"batchref":"b1"}`}, storetest.Says(applied.Rows[0]))
		})
		_, err := s.Apply(t.Context(), line)
		require.ErrorIs(t, err, worker.ErrConflict, "the line was decided without the arrival")
		applied, err := s.Apply(t.Context(), line)
		require.NoError(t, err)
		require.Len(t, applied.Rows[0], 1)
		require.Equal(t, "OrderReady", applied.Rows[0][0].Type)
	})
	t.Run("the line is first", func(t *testing.T) {
		b := setup(t, 2)
		b.Do(add(0, "alice.1", "CHAIR"), place(0, "alice.1"), fact(0, 1, "BatchCreated", `{"ref":"b1","sku":"CHAIR","qty":1,"eta":"2030-01-01"}`))
		line, batch := storetest.OnlyPartition(b.Transaction(allocated(0, 7, "alice.1", "b1")), 0), storetest.OnlyPartition(b.Transaction(arrives(1, 8, "b1")), 1)
		outsider := b.Outsider(`lock table order_lines in share mode`) // behind the batch's lock
		done := make(chan error, 2)
		apply := func(transaction worker.Transaction) {
			_, err := b.Apply(t.Context(), transaction)
			done <- err
		}
		waiting := func(n int) {
			testbed.Eventually(t, func() bool {
				return b.Count(`select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) == n
			})
		}
		go apply(line)
		waiting(1)
		go apply(batch)
		waiting(2)
		b.Release(outsider)
		require.NoError(t, <-done)
		require.NoError(t, <-done)
		b.Offsets, b.NextRow = []int64{4, 1}, []int64{3, 1}
		applied := b.Do(reviewBatch(1, "b1"))
		require.Equal(t, []string{`0 ReviewOrder {"customerid":"alice","orderid":"alice.1"}`}, storetest.Says(applied.Rows[1]))
		applied = b.Do(reviewOrder(1, "alice.1"))
		require.Equal(t, []string{`3` + ready[1:]}, storetest.Says(applied.Rows[1]))
	})
}

// A batch may have any number of orders: no transaction has more than a page of them.
func TestApply_reviewsABatchByPages(t *testing.T) {
	b := setup(t, 1)
	const orders = order.ReviewPage + 3
	var adds, facts []worker.Command
	for i := range orders {
		id := fmt.Sprintf("c%03d.1", i)
		adds, facts = append(adds, add(0, id, "CHAIR")), append(facts, allocated(0, int64(i+1), id, "b1"))
	}
	b.Do(adds...)
	b.Do(facts...)
	applied := b.Do(arrives(0, 1000, "b1"))
	require.Equal(t, []string{`0 ReviewBatch {"batchref":"b1"}`}, storetest.Says(applied.Rows[0]))
	applied = b.Do(reviewBatch(0, "b1"))
	require.Len(t, applied.Rows[0], order.ReviewPage+1)
	require.Equal(t, `0 ReviewOrder {"customerid":"c000","orderid":"c000.1"}`, storetest.Says(applied.Rows[0])[0])
	require.Equal(t, "c000", applied.Rows[0][0].RecordKey)
	require.Equal(t, `0 ReviewBatch {"batchref":"b1","after":"c099.1"}`, storetest.Says(applied.Rows[0])[order.ReviewPage])
	applied = b.Do(storetest.Command(0, "ReviewBatch", `{"batchref":"b1","after":"c099.1"}`))
	require.Len(t, applied.Rows[0], 3)
	require.Equal(t, "ReviewOrder", applied.Rows[0][2].Type)
}

// Nor has one that gets the reviews of many batches.
func TestApply_leavesManyPagesToTheNextTransactions(t *testing.T) {
	b := setup(t, 1)
	b.Exec(`insert into order_lines select 'c' || n || '.1', '1', 1, 'CHAIR', 1, 'reserved', 'b1', 1, now(), now() from generate_series(1, 200) n`)
	reviews := make([]worker.Command, 60)
	for i := range reviews {
		reviews[i] = reviewBatch(0, "b1")
	}
	applied, err := b.Apply(t.Context(), b.Transaction(reviews...))
	require.NoError(t, err)
	require.Len(t, applied.Outcomes, 50)
}

// Nor does one read the lines of any number of orders.
func TestApply_readsSoManyLinesAtOnce(t *testing.T) {
	b := setup(t, 1)
	const n = 300
	b.Exec(`
insert into customers select 'c' || n, 1, 0, 0, 0, 0, 0 from generate_series(1, 300) n;
insert into orders select 'c' || n || '.1', 'cart', now() from generate_series(1, 300) n;
insert into order_lines select 'c' || n || '.1', l::text, l, 'CHAIR', 1, 'reserved', 'b' || n || '.' || l, 1, now(), now() from generate_series(1, 300) n, generate_series(1, 200) l;
analyze customers, orders, order_lines`)
	var places []worker.Command
	for i := range n {
		places = append(places, place(0, fmt.Sprintf("c%d.1", n-i)))
	}
	for _, want := range []int{100, 100, 100} { // 20,000 lines of 200 each
		applied, err := b.Apply(t.Context(), b.Transaction(places...))
		require.NoError(t, err)
		require.Len(t, applied.Outcomes, want)
		require.Len(t, applied.Rows[0], want)
		b.Offsets[0], b.NextRow[0], places = b.Offsets[0]+int64(want), b.NextRow[0]+int64(want), places[want:]
	}
	require.Equal(t, n, b.Count(`select count(*) from orders where phase = 'placed'`))
}

// A command that fails holds its customer, and nobody else. What is about a batch holds the batch.
func TestApply_aFailureHoldsItsCustomerOnly(t *testing.T) {
	b := setup(t, 1)
	fails := func(c worker.Command) worker.Command { c.Failure = "it failed"; return c }
	b.Do(fails(add(0, "alice.1", "CHAIR")), fails(arrives(0, 1, "b1")))
	require.Equal(t, []string{"alice", "batch.b1"}, storetest.Ask[[]string](b, `select array_agg(key order by key) from held_keys`))
	applied := b.Do(place(0, "alice.1"), add(0, "bob.1", "CHAIR"), allocated(0, 1, "alice.1", "b1"), arrives(0, 2, "b1"), arrives(0, 2, "b2"))
	require.Equal(t, []string{"held", "changed", "held", "held", "changed"}, storetest.Results(applied))
}

// So does one of a later version, by what could be a name.
func TestApply_aNewerCommandHoldsItsCustomer(t *testing.T) {
	b := setup(t, 1)
	newer := func(data string) worker.Command {
		c := storetest.Command(0, "", "%s", data)
		c.Newer, c.Wait, c.Refusal = "orders.v2.Some", time.Hour, &worker.Refusal{Reason: "unknown_type", Message: "it is not known"}
		return c
	}
	applied := b.Do(
		newer(`{"customerid":"a\u0000","orderid":"alice.1"}`), newer(`{"batchref":"b\u0000"}`), newer(`{"batchref":"b1"}`),
		add(0, "alice.1", "CHAIR"), add(0, "bob.1", "CHAIR"), arrives(0, 1, "b1"), arrives(0, 1, "b2"))
	require.Equal(t, []string{"held", "refused", "held", "held", "changed", "held", "changed"}, storetest.Results(applied))
	require.Equal(t, []string{"alice", "batch.b1"}, storetest.Ask[[]string](b, `select array_agg(key order by key) from held_keys`))
}

// What was read may be changed by another before the write.
func TestApply_conflictsWithAnother(t *testing.T) {
	for name, first := range map[string]bool{"without locks": false, "with locks": true} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 2)
			b.Do(add(0, "alice.1", "CHAIR"), allocated(0, 1, "alice.1", "b1"))
			transaction := storetest.OnlyPartition(b.Transaction(place(0, "alice.1")), 0)
			if transaction.LockFirst = first; first {
				_, err := b.Apply(t.Context(), transaction)
				require.NoError(t, err)
				return
			}
			s := b.Interrupted(func() {
				_, err := b.Apply(t.Context(), storetest.OnlyPartition(b.Transaction(add(1, "alice.2", "CHAIR")), 1))
				require.NoError(t, err)
			})
			_, err := s.Apply(t.Context(), transaction)
			require.ErrorIs(t, err, worker.ErrConflict)
		})
	}
}

// A fact with names that stock does not give is refused, and stops nothing.
func TestApply_refusesFactsThatCannotBeKept(t *testing.T) {
	b := setup(t, 1)
	for n := range int64(2) {
		require.Equal(t, []string{"refused malformed"}, storetest.Says(b.Do(fact(0, n+1, "BatchCreated", `{"sku":"CHAIR"}`)).Rows[0]))
	}
	odd := fact(0, 3, "Allocated", `{"orderid":"a\u0000.1","sku":"CHAIR","lineid":"1","batchref":"b1"}`)
	require.Equal(t, []string{"refused malformed"}, storetest.Says(b.Do(odd).Rows[0]))
}

// An order was placed at its command's time, also where the cart is made in the same transaction.
func TestApply_keepsWhenAnOrderWasPlaced(t *testing.T) {
	b := setup(t, 1)
	placed := place(0, "alice.1")
	placed.Cause.Time = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli()
	b.Do(add(0, "alice.1", "CHAIR"), placed)
	require.Equal(t, placed.Cause.Time, storetest.Ask[time.Time](b, `select placed_at from orders`).UnixMilli())
}
