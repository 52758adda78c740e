package orders

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/domain/order"
	"allocation/store"
)

// CustomerView is a customer, as the tables have them.
type CustomerView struct {
	ID     string
	Placed int64 // orders, whatever became of them
	VIP    bool
	Held   *store.HeldKey // their commands wait behind one that failed; nil: they do not
}

// OrderView is a cart or an order.
type OrderView struct {
	ID       string
	Phase    string
	PlacedAt *time.Time // nil: it is a cart, or was one to its end
	Lines    []LineView // in the order in which they were added; nil in lists
}

// LineView is a line of it.
type LineView struct {
	ID    string
	SKU   string
	Qty   int64
	State string
	Batch string // of a line that is reserved or dispatched
}

const (
	customerSQL = `select placed from customers where id = $1`

	// A customer's orders are a range of ids: no customer's name has a dot, and / is what comes next
	// to it. An id to go on behind must be one of theirs.
	customersOrdersSQL = `
select id, phase::text, placed_at from orders where id > $1 || '.' and id < coalesce(nullif($2, ''), $1 || '/') order by id desc limit $3`

	orderSQL       = `select id, phase::text, placed_at from orders where id = $1`
	ordersLinesSQL = `select order_id, line_id, sku, qty, state::text, coalesce(batch, '') from order_lines where order_id = any($1) order by order_id, n`
	orderLinesSQL  = `select line_id, sku, qty, state::text, coalesce(batch, '') from order_lines where order_id = $1 order by n`
)

// ShowCustomer reads a customer. Where there is none, and nothing waits for one, the error is
// pgx.ErrNoRows.
func ShowCustomer(ctx context.Context, db *store.Store, id string) (v CustomerView, err error) {
	v.ID = id
	return v, db.Snapshot(ctx, func(tx pgx.Tx) error {
		held, err := store.HeldIn(ctx, tx, id)
		if err != nil {
			return err
		}
		if len(held) > 0 {
			v.Held = &held[0]
		}
		err = tx.QueryRow(ctx, customerSQL, id).Scan(&v.Placed)
		if v.Held != nil && err == pgx.ErrNoRows { //nolint:errorlint // Scan returns it as it is
			return nil // their first command waits
		}
		v.VIP = v.Placed >= order.VIPFrom
		return err
	})
}

// ListOrders reads carts and orders of a customer in the descending order of their ids: those
// behind one in that order, or the first ones. Their lines are read where they are wanted.
func ListOrders(ctx context.Context, db *store.Store, customer, after string, limit int, lines bool) (all []OrderView, err error) {
	return all, db.Snapshot(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, customersOrdersSQL, customer, after, limit) // its error is that of the rows, too
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (o OrderView, err error) {
			return o, row.Scan(&o.ID, &o.Phase, &o.PlacedAt)
		})
		if err != nil || !lines {
			return err
		}
		return addLines(ctx, tx, all)
	})
}

func addLines(ctx context.Context, tx pgx.Tx, all []OrderView) error {
	ids, of := make([]string, len(all)), map[string]*OrderView{}
	for i := range all {
		ids[i], of[all[i].ID] = all[i].ID, &all[i]
	}
	rows, _ := tx.Query(ctx, ordersLinesSQL, ids) // as above
	var id string
	var l LineView
	_, err := pgx.ForEachRow(rows, []any{&id, &l.ID, &l.SKU, &l.Qty, &l.State, &l.Batch}, func() error {
		of[id].Lines = append(of[id].Lines, l)
		return nil
	})
	return err
}

// ShowOrder reads a cart or an order with its lines. Where there is none, the error is
// pgx.ErrNoRows.
func ShowOrder(ctx context.Context, db *store.Store, id string) (o OrderView, err error) {
	return o, db.Snapshot(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, orderSQL, id).Scan(&o.ID, &o.Phase, &o.PlacedAt); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, orderLinesSQL, id) // as above
		o.Lines, err = pgx.CollectRows(rows, pgx.RowToStructByPos[LineView])
		return err
	})
}
