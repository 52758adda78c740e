package orders_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/store/orders"
)

// What customers do and read takes as long beside very many past orders as beside none.
func TestPast_costsNothing(t *testing.T) {
	past, err := strconv.Atoi(os.Getenv("PAST_ORDERS"))
	if err != nil {
		t.Skip("make soak-past runs it")
	}
	b := setup(t, 1)
	run := 0
	ways := map[string]func() error{
		"an order from its first article until it has left": func() error {
			run++
			id, sequence := fmt.Sprintf("run%d.1", run), int64(2*run)
			b.Do(add(0, id, "CHAIR"))
			b.Do(allocated(0, sequence, id, "b1"))
			b.Do(place(0, id))
			b.Do(fact(0, sequence+1, "Dispatched", `{"orderid":%q,"sku":"CHAIR","lineid":"1","batchref":"b1","qty":1}`, id))
			return nil
		},
		"show a customer": func() error { _, err := orders.ShowCustomer(t.Context(), b.Store, "much"); return err },
		"list a customer's orders": func() error {
			all, err := orders.ListOrders(t.Context(), b.Store, "much", "", 1, true)
			require.NotEmpty(t, all)
			return err
		},
		"show an order": func() error { _, err := orders.ShowOrder(t.Context(), b.Store, "much.1"); return err },
	}
	b.Do(add(0, "much.1", "CHAIR"))
	b.Do(fact(0, 1, "BatchCreated", `{"batchref":"b1","sku":"CHAIR","qty":1}`))
	median := func(do func() error) time.Duration {
		took := make([]time.Duration, 300)
		for i := range took {
			began := time.Now()
			require.NoError(t, do())
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	before := map[string]time.Duration{}
	for name, do := range ways {
		median(do) // all is warm
		before[name] = median(do)
	}
	addPast(t, b.Exec, past)
	for name, do := range ways {
		median(do)
		after := median(do)
		t.Logf("%-50s %8s, beside %d past orders %8s: %.2f times as long", name, before[name].Round(time.Microsecond), past, after.Round(time.Microsecond), after.Seconds()/before[name].Seconds())
		require.Less(t, after, 2*before[name], name)
	}
}

// addPast makes orders that have left: three for most customers, and a thousandth of all for one.
func addPast(t *testing.T, exec func(string), n int) {
	began := time.Now()
	exec(fmt.Sprintf(`
insert into customers select 'p' || n, 6, 9, 3, 1, 1, 1 from generate_series(1, %[1]d / 3) n;
insert into orders select case when n %% 1000 = 0 then 'much.' || n else 'p' || n / 3 || '.' || n end, 'dispatched', null, now() from generate_series(2, %[1]d) n;
insert into order_lines select id, '1', 1, 'CHAIR', 1, 'dispatched', 'b' || length(id), 3, now(), now() from orders where phase = 'dispatched' on conflict do nothing`, n))
	exec(`vacuum analyze customers, orders, order_lines`)
	t.Logf("made %d past orders in %s", n, time.Since(began).Round(time.Second))
}
