package orders_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/storetest"
	"allocation/domain/order"
	"allocation/migrations"
	"allocation/store/orders"
	"allocation/worker"
)

func TestMain(m *testing.M) { testbed.Main(m) }

var settings = order.Settings{CartTime: 30 * time.Minute}

// setup makes a store of orders on a database of its own, with partitions claimed.
func setup(t *testing.T, partitions int) *storetest.Bench {
	t.Helper()
	t.Parallel()
	url := testbed.Database(t)
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer db.Close()
	_, err = migrations.Up(t.Context(), db, migrations.Options{Lines: migrations.LinesOf(&migrations.Orders)})
	require.NoError(t, err)
	b := storetest.At(t, url, orders.Service(settings))
	b.Claims = b.ClaimFor(b.Store, partitions)
	b.Offsets, b.NextRow = make([]int64, partitions), make([]int64, partitions)
	return b
}

func add(partition int, cart, sku string) worker.Command {
	return storetest.Command(partition, "AddToCart", `{"customerid":%q,"cartid":%q,"sku":%q,"qty":1}`, order.CustomerOf(cart), cart, sku)
}

func place(partition int, cart string) worker.Command {
	return storetest.Command(partition, "PlaceOrder", `{"customerid":%q,"cartid":%q}`, order.CustomerOf(cart), cart)
}

func reviewBatch(partition int, ref string) worker.Command {
	return storetest.Command(partition, "ReviewBatch", `{"batchref":%q}`, ref)
}

func reviewOrder(partition int, id string) worker.Command {
	return storetest.Command(partition, "ReviewOrder", `{"customerid":%q,"orderid":%q}`, order.CustomerOf(id), id)
}

// fact is an event of stock.
func fact(partition int, sequence int64, kind, format string, args ...any) worker.Command {
	c := storetest.Command(partition, kind, format, args...)
	c.Taken, c.Sequence = true, sequence
	return c
}

// allocated puts the first line of an order on a batch.
func allocated(partition int, sequence int64, id, batch string) worker.Command {
	return fact(partition, sequence, "Allocated", `{"orderid":%q,"sku":"CHAIR","lineid":"1","batchref":%q,"qty":1}`, id, batch)
}

// arrives tells that a batch is in the warehouse.
func arrives(partition int, sequence int64, batch string) worker.Command {
	return fact(partition, sequence, "BatchEtaChanged", `{"batchref":%q,"sku":"CHAIR"}`, batch)
}
