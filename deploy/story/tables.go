package story

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Tables are what the services keep, at one snapshot.
type Tables struct {
	Customers  []CustomerRow
	Orders     []OrderRow
	OrderLines []OrderLineRow
	Known      []KnownRow // batches of stock, as orders knows them
	Products   []ProductRow
	Batches    []BatchRow
	StockLines []StockLineRow
	Ledger     []LedgerRow
	Over       []OverRow
	Letters    []LetterRow
	Positions  []PositionRow
	Held       []HeldRow
}

// CustomerRow is a customer as orders keeps it.
type CustomerRow struct {
	ID               string
	Sequence, Placed int64
}

// OrderRow is a cart or an order.
type OrderRow struct {
	ID, Phase string
	Placed    bool
}

// OrderLineRow is a line as orders keeps it.
type OrderLineRow struct {
	Order, Line, SKU string
	Qty              int64
	State, Batch     string
}

// KnownRow is a batch of stock as orders knows it.
type KnownRow struct {
	Ref, SKU string
	Arrived  bool
}

// ProductRow is an article at stock.
type ProductRow struct {
	SKU     string
	Version int64
}

// BatchRow is a batch at stock.
type BatchRow struct {
	Ref, SKU       string
	Qty, Allocated int64
	Arrived        bool
}

// StockLineRow is a line at stock.
type StockLineRow struct {
	Order, SKU, Line string
	Qty              int64
	State, Batch     string
}

// LedgerRow is a batch of which the warehouse has something left.
type LedgerRow struct {
	SKU, Ref                        string
	Received, Lost, Shipped, Picked int64
	Arrived                         bool
}

// OverRow adds up the batches of an article of which nothing is left.
type OverRow struct {
	SKU                              string
	Batches, Received, Lost, Shipped int64
}

// LetterRow is a dead letter.
type LetterRow struct {
	Topic     string
	Partition int32
	Offset    int64
	Reason    string
}

// PositionRow is how far a service is in a partition.
type PositionRow struct {
	Schema, Topic                  string
	Partition                      int32
	NextOffset, NextRow, Published int64
}

// HeldRow is a key behind a command that failed.
type HeldRow struct{ Schema, Key string }

// Schemas of the services in the database.
const (
	orderSchema     = "orders"
	stockSchema     = "allocation"
	warehouseSchema = "warehouse"
)

// readTables reads the tables of all services in one snapshot.
func readTables(ctx context.Context, url string) (*Tables, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(ctx) //nolint:errcheck // nothing was written
	t := &Tables{}
	err = errors.Join(
		query(ctx, tx, &t.Customers, `select id, sequence, placed from orders.customers`),
		query(ctx, tx, &t.Orders, `select id, phase::text, placed_at is not null from orders.orders`),
		query(ctx, tx, &t.OrderLines, `select order_id, line_id, sku, qty, state::text, coalesce(batch, '') from orders.order_lines`),
		query(ctx, tx, &t.Known, `select ref, sku, arrived from orders.stock_batches`),
		query(ctx, tx, &t.Products, `select sku, version from allocation.products`),
		query(ctx, tx, &t.Batches, `select ref, sku, qty, allocated, eta is null from allocation.batches`),
		query(ctx, tx, &t.StockLines, `select orderid, sku, lineid, qty, state::text, coalesce(batchref, '') from allocation.lines`),
		query(ctx, tx, &t.Ledger, `select l.key, b.ref, b.received, b.lost, b.shipped, b.picked, b.arrived
			from warehouse.ledgers l cross join lateral jsonb_to_recordset(l.state->'batches') as b
			(ref text, received bigint, lost bigint, shipped bigint, picked bigint, arrived boolean) where l.article`),
		query(ctx, tx, &t.Over, `select l.key, o.batches, o.received, o.lost, o.shipped
			from warehouse.ledgers l cross join lateral jsonb_to_record(l.state->'over') as o (batches bigint, received bigint, lost bigint, shipped bigint)
			where l.article and l.state ? 'over'`),
	)
	for _, schema := range []string{orderSchema, stockSchema, warehouseSchema} {
		err = errors.Join(err,
			query(ctx, tx, &t.Letters, `select p.topic, p.partition, d.command_offset, d.reason
				from `+schema+`.dead_letters d join `+schema+`.positions p on p.source = coalesce(d.command_source, d.source)`),
			query(ctx, tx, &t.Positions, `select '`+schema+`', topic, partition, next_offset, next_row, published_row from `+schema+`.positions`),
			query(ctx, tx, &t.Held, `select '`+schema+`', key from `+schema+`.held_keys`),
		)
	}
	return t, err
}

// query adds the rows that a question has.
func query[T any](ctx context.Context, tx pgx.Tx, into *[]T, sql string) error {
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return err
	}
	*into, err = pgx.AppendRows(*into, rows, pgx.RowToStructByPos[T])
	return err
}
