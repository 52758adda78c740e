package orders_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/domain/order"
	"allocation/worker"
)

// memory decides messages as the store does, on state that it keeps whole.
type memory struct {
	customers map[string]*order.Customer
	orders    map[string]*order.Order
	batches   map[string]*order.Batch
	early     map[string][]order.EarlyFact
}

// decide gives what a message comes to, as rows say it.
func (m *memory) decide(t *testing.T, c *worker.Command) (says []string) {
	t.Helper()
	var message order.Message
	var keys order.Keys
	if c.Taken {
		fact, err := order.ReadFact(c.Type, c.Sequence, c.Cause.CorrelationID, c.Data)
		require.NoError(t, err)
		message, keys = fact, fact.Keys()
	} else {
		command, refusal := order.DecodeCommand(c.Type, c.Data)
		require.Nil(t, refusal)
		message, keys = command, command.Keys()
	}
	state := &order.State{Order: m.orders[keys.OrderID], Batches: m.batches, Early: m.early[keys.OrderID]}
	if keys.CustomerID != "" {
		if m.customers[keys.CustomerID] == nil {
			m.customers[keys.CustomerID] = &order.Customer{ID: keys.CustomerID}
		}
		state.Customer = m.customers[keys.CustomerID]
	}
	d := order.Decide(message, state, time.UnixMilli(c.Cause.Time).UTC(), settings)
	if state.Order != nil {
		m.orders[keys.OrderID] = state.Order
	}
	m.early[keys.OrderID] = state.Early
	for i := range d.Events {
		says = append(says, fmt.Sprintf("%d %s %s", d.Events[i].Sequence, d.Events[i].Type, d.Events[i].AppendData(nil)))
	}
	for i := range d.Stock {
		says = append(says, fmt.Sprintf("0 %s %s", d.Stock[i].Name, d.Stock[i].AppendData(nil)))
	}
	for _, id := range d.Orders {
		of := order.Of{CustomerID: order.CustomerOf(id), OrderID: id}
		says = append(says, fmt.Sprintf("0 ReviewOrder %s", of.AppendData(nil)))
	}
	if d.Review != nil {
		says = append(says, fmt.Sprintf("0 ReviewBatch %s", d.Review.AppendData(nil)))
	}
	if d.Refusal != nil {
		says = append(says, "refused "+string(d.Refusal.Reason))
	}
	return says
}

// What is read back from the tables decides as what was never written.
func TestApply_decidesAsIfAllWereKeptInMemory(t *testing.T) {
	b := setup(t, 1)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	m := &memory{map[string]*order.Customer{}, map[string]*order.Order{}, map[string]*order.Batch{}, map[string][]order.EarlyFact{}}
	start := time.Now().Add(-24 * time.Hour)
	sequence := int64(1) // a fact may have the one before
	next := func() worker.Command {
		id, batch, line := fmt.Sprintf("c%d.%d", random.IntN(3), random.IntN(5)), fmt.Sprintf("b%d", random.IntN(4)), 1+random.IntN(3)
		sequence++
		of := fmt.Sprintf(`{"orderid":%q,"sku":"CHAIR","lineid":"%d","batchref":%q}`, id, line, batch)
		var c worker.Command
		switch random.IntN(14) {
		case 0, 1, 2:
			c = add(0, id, "CHAIR")
		case 3:
			c = storetest.Command(0, "RemoveFromCart", `{"customerid":%q,"cartid":%q,"sku":"CHAIR","lineid":"%d"}`, order.CustomerOf(id), id, line)
		case 4:
			c = storetest.Command(0, "ExpireCart", `{"customerid":%q,"cartid":%q}`, order.CustomerOf(id), id)
		case 5, 6:
			c = place(0, id)
		case 7:
			c = storetest.Command(0, "CancelOrder", `{"customerid":%q,"orderid":%q}`, order.CustomerOf(id), id)
		case 8:
			c = reviewOrder(0, id)
		case 9:
			c = arrives(0, sequence, batch)
		case 10:
			c = fact(0, sequence, "BatchEtaChanged", `{"batchref":%q,"sku":"CHAIR","eta":"2030-01-01"}`, batch)
		default:
			kinds := []string{"Allocated", "Allocated", "OutOfStock", "Deallocated", "Dispatched", "AllocationRejected"}
			c = fact(0, sequence-int64(random.IntN(2)), kinds[random.IntN(len(kinds))], `%s`, of)
			if random.IntN(2) == 0 {
				c.Cause.CorrelationID = id
			}
		}
		c.Cause.Time = start.Add(time.Duration(sequence) * time.Minute).UnixMilli()
		return c
	}
	for range 150 {
		var commands []worker.Command
		var want []string
		for range 1 + random.IntN(8) {
			c := next()
			commands = append(commands, c)
			want = append(want, m.decide(t, &c)...)
		}
		require.Equal(t, want, storetest.Says(b.Do(commands...).Rows[0]))
		kept := 0
		for _, facts := range m.early {
			kept += len(facts)
		}
		require.Equal(t, kept, b.Count(`select count(*) from early_facts`))
	}
	for id, o := range m.orders {
		require.Equal(t, o.Phase.String(), storetest.Ask[string](b, `select phase::text from orders where id = $1`, id))
	}
	require.Equal(t, len(m.orders), b.Count(`select count(*) from orders`))
}
