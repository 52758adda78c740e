package products

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/store"
)

// OrderView is an order as it is now: its lines, and its commands that had no effect.
type OrderView struct {
	OrderID      string             `json:"orderid"`
	Lines        []LineView         `json:"lines"`
	LinesTotal   int64              `json:"lines_total"`
	Waiting      []OrderCommandView `json:"waiting_commands,omitempty"` // behind held products
	WaitingTotal int64              `json:"waiting_commands_total"`
	Refused      []OrderCommandView `json:"refused_commands,omitempty"` // dead letters, but for those that were retried
	RefusedTotal int64              `json:"refused_commands_total"`
	Held         []HeldView         `json:"held,omitempty"` // its products that are held
}

// OrderCommandView is a command of an order that had no effect: it waits behind a held product, or
// is a dead letter.
type OrderCommandView struct {
	ID      store.RecordID `json:"id"`
	Type    string         `json:"type,omitempty"`
	SKU     string         `json:"sku,omitempty"`
	LineID  string         `json:"lineid,omitempty"`
	Since   time.Time      `json:"since"`
	Held    string         `json:"held,omitempty"`    // the product behind which it waits
	Reason  string         `json:"reason,omitempty"`  // of the dead letter
	Message string         `json:"message,omitempty"` // of the dead letter
	State   string         `json:"state,omitempty"`   // of the dead letter
	Retries int32          `json:"retries,omitempty"` // of the dead letter
}

const showOrderSQL = `
select ` + showLineColumns + `, count(*) over ()
from lines where orderid = $1 order by sku, lineid limit $2`

// Order gives what is known about an order, and store.ErrUnknown where nothing is.
func (v View) Order(ctx context.Context, id string, limit int) (*OrderView, error) {
	order := &OrderView{OrderID: id, Lines: []LineView{}}
	err := v.orderLines(ctx, order, limit)
	if err != nil {
		return nil, store.ShowError("show order", err)
	}
	waiting := orderCommands{order: id, limit: limit}
	if err = v.EachWaiting(ctx, id, waiting.add); err != nil {
		return nil, store.ShowError("show commands of the order that wait", err)
	}
	refused := orderCommands{order: id, limit: limit}
	if err = v.EachRefused(ctx, id, refused.add); err != nil {
		return nil, store.ShowError("show dead letters of the order", err)
	}
	order.Waiting, order.WaitingTotal = waiting.found, waiting.total
	order.Refused, order.RefusedTotal = refused.found, refused.total
	if len(order.Lines)+len(order.Waiting)+len(order.Refused) == 0 {
		return nil, store.ErrUnknown
	}
	order.Held, err = v.held(ctx, order.skus()...)
	return order, err
}

// orderLines adds the lines of an order.
func (v View) orderLines(ctx context.Context, order *OrderView, limit int) (err error) {
	rows, _ := v.Query(ctx, showOrderSQL, order.OrderID, limit) // its error is that of the rows, too
	order.Lines, err = pgx.AppendRows(order.Lines, rows, func(row pgx.CollectableRow) (l LineView, err error) {
		return l, row.Scan(&l.OrderID, &l.SKU, &l.LineID, &l.Qty, &l.State, &l.BatchRef, &l.Placed, &order.LinesTotal)
	})
	return err
}

// Products are the SKUs of the order's lines, and of its commands that had no effect.
func (o *OrderView) Products() []string {
	skus := o.skus()
	slices.Sort(skus)
	skus = slices.Compact(skus)
	return slices.DeleteFunc(skus, func(sku string) bool { return sku == "" })
}

func (o *OrderView) skus() (skus []string) {
	for _, c := range append(slices.Clone(o.Waiting), o.Refused...) {
		skus = append(skus, c.SKU)
	}
	for _, l := range o.Lines {
		skus = append(skus, l.SKU)
	}
	return skus
}

// orderCommands are the commands of an order, the first so many of them, and how many there are.
type orderCommands struct {
	order string
	limit int
	found []OrderCommandView
	total int64
}

// add adds a command if it is one of the order.
func (o *orderCommands) add(c *store.CommandView) {
	var data struct{ OrderID, SKU, LineID any }
	if json.NewDecoder(bytes.NewReader(c.Data)).Decode(&data) != nil || data.OrderID != o.order {
		return
	}
	if o.total++; o.total > int64(o.limit) {
		return
	}
	command := OrderCommandView{ID: c.ID, Type: c.Type, Since: c.Since, Held: c.Held, Reason: c.Reason, Message: c.Message, State: c.State, Retries: c.Retries}
	command.SKU, _ = data.SKU.(string)
	command.LineID, _ = data.LineID.(string)
	o.found = append(o.found, command)
}
