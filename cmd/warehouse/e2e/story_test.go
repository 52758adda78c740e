package e2e

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stopsCleanly has people stop in the middle of what they do.
func (s *services) stopsCleanly() {
	var printed bytes.Buffer
	play := s.command("warehouse", "simulate", "--seed=8", "--skus=DESK", "--rate=50")
	play.Stdout, play.Stderr = &printed, &printed
	require.NoError(s.t, play.Start())
	s.await("true", `select (count(*) > 0)::text from warehouse.ledger_batches('DESK')`)
	require.NoError(s.t, play.Process.Signal(os.Interrupt))
	require.NoError(s.t, play.Wait(), "%s", printed.String())
	require.Regexp(s.t, `(?m)^sent \d+ tasks to `+s.tasks+`, with \d+ shipments$`, printed.String())
	require.Contains(s.t, s.run("warehouse", "simulate", "--seed=8", "--skus=DESK", "--rate=50", "--duration=500ms"), "sent ")
}

// Goods come, are damaged and counted, customers order, and all orders leave, though a worker of
// the warehouse is killed meanwhile. At each moment, and at the end, the ledger adds up with stock.
func TestStory(t *testing.T) {
	const orders = 60
	s := setup(t)
	var printed bytes.Buffer
	play := s.command("warehouse", "simulate", "--seed=7", "--skus=CHAIR,LAMP,SOFA", "--stock=40", "--rate=40", "--shipments=30")
	play.Stdout, play.Stderr = &printed, &printed
	require.NoError(t, play.Start())
	t.Cleanup(func() { _ = play.Process.Kill() })
	s.await("3", `select count(*)::text from warehouse.ledgers where article`)

	for i := range orders {
		customer := fmt.Sprint("customer", i%7)
		cart := fmt.Sprintf("%s.%d", customer, i)
		for j := range 1 + i%3 {
			s.customer(customer, "AddToCart", `"cartid":%q,"sku":%q,"qty":%d`, cart, []string{"CHAIR", "LAMP", "SOFA"}[(i+j)%3], 1+i%4)
		}
		s.customer(customer, "PlaceOrder", `"cartid":%q`, cart)
		if i%10 == 9 {
			s.customer(customer, "CancelOrder", `"orderid":%q`, cart) // or it is refused, as it has left
		}
		if i == orders/2 {
			s.await("true", `select (count(*) > 9)::text from allocation.lines where state = 'dispatched'`)
		}
		s.adds()
	}
	s.house.Kill()
	s.startHouse()
	require.NoError(t, play.Wait(), "%s", printed.String())
	require.Contains(t, printed.String(), "with 30 shipments")

	// What has not come yet comes, when the ledgers have all that was announced.
	s.await("30", `select sum(coalesce((state->>'last')::bigint, 0))::text from warehouse.ledgers where article`)
	for _, of := range strings.Fields(s.ask(`select coalesce(string_agg(ref, ' '), '') from warehouse.ledger_batches(null) where not arrived`)) {
		sku, shipment, _ := strings.Cut(of, ".")
		s.run("warehouse", "send", "ReceiveShipment", "sku="+sku, "shipment="+shipment)
	}
	s.await("0", `select count(*)::text from orders.orders where phase not in ('dispatched', 'cancelled')`)
	s.await("0", `select count(*)::text from warehouse.ledgers l join allocation.products p on p.sku = l.key where (l.state->>'fact')::bigint is distinct from p.version`)
	s.await("", `select coalesce(string_agg(ref, ' '), '') from warehouse.ledger_batches(null) where picked > 0 or lost <> (told->-1->>'lost')::bigint or not arrived`)

	// The books of both agree: batch by batch, and what is over in all.
	require.Equal(t, "0", s.ask(`select count(*)::text from warehouse.ledger_batches(null) h left join allocation.batches b using (ref)
		where h.received - h.lost - h.shipped is distinct from b.qty`))
	require.Equal(t, s.ask(`select sum(qty)::text from allocation.lines where state = 'dispatched'`), s.ask(`
		select (sum(coalesce((state->'over'->>'shipped')::bigint, 0)) + (select sum(shipped) from warehouse.ledger_batches(null)))::text from warehouse.ledgers where article`))
	require.Equal(t, s.ask(`select sum(qty)::text from allocation.batches`), s.ask(`select sum(received - lost - shipped)::text from warehouse.ledger_batches(null)`))
	require.Equal(t, "0", s.ask(`select count(*)::text from allocation.lines where state = 'allocated'`))
	require.Empty(t, s.ask(`select coalesce(string_agg(reason || message, E'\n'), '') from warehouse.dead_letters`))
	require.Equal(t, "true", s.ask(`select (count(*) > 45)::text from orders.orders where phase = 'dispatched'`))
	require.Equal(t, "true", s.ask(`select (count(*) > 5)::text from allocation.batches where revision is not null`), "something was lost")

	s.stopsCleanly()
	require.Contains(t, s.run("warehouse", "ledger"), "CHAIR.")
	require.Contains(t, s.run("warehouse", "status"), "warehouse 1")
	require.Contains(t, s.run("warehouse", "offsets", "list"), s.orderEvents)
	require.Contains(t, s.run("warehouse", "explain", "command", "customer0.0"), "LinePicked order customer0.0, line ")
}
