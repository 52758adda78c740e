package products

import (
	"context"

	"github.com/jackc/pgx/v5"

	"allocation/store"
)

// View reads products, batches and orders for people.
type View struct{ *store.Store }

// BatchView is a batch as it is now.
type BatchView struct {
	Ref       string `json:"ref"`
	SKU       string `json:"sku"`
	Qty       int64  `json:"qty"`
	Allocated int64  `json:"allocated"`
	Available int64  `json:"available"`
	ETA       string `json:"eta,omitempty"` // empty: in the warehouse
	Revision  *int64 `json:"revision,omitempty"`

	Lines      []LineView `json:"lines,omitempty" db:"-"` // those allocated to it, in placed order
	LinesTotal int64      `json:"lines_total"`

	ToCome bool       `json:"to_come,omitempty" db:"-"` // there is no such batch yet: its command waits behind the held product
	Held   []HeldView `json:"held,omitempty" db:"-"`    // its product, where that is held
}

// LineView is an order line as it is now.
type LineView struct {
	OrderID  string `json:"orderid"`
	SKU      string `json:"sku"`
	LineID   string `json:"lineid,omitempty"`
	Qty      int64  `json:"qty"`
	State    string `json:"state"`
	BatchRef string `json:"batchref,omitempty"`
	Placed   int64  `json:"placed"`
}

// ProductView is a product as it is now.
type ProductView struct {
	SKU          string      `json:"sku"`
	Version      int64       `json:"version"`
	Batches      []BatchView `json:"batches"` // those in use, in preference order
	BatchesTotal int64       `json:"batches_total"`
	Waiting      []LineView  `json:"waiting"` // in placed order
	WaitingTotal int64       `json:"waiting_total"`
	Held         []HeldView  `json:"held,omitempty"` // itself, where it is held
}

// HeldView is a product whose commands wait behind one that failed unexpectedly.
type HeldView struct {
	SKU string `json:"sku"`
	store.HeldKey
}

const (
	showBatchColumns = `ref, sku, qty, allocated, qty - allocated, coalesce(eta::text, ''), revision`
	showLineColumns  = `orderid, sku, lineid, qty, state::text, coalesce(batchref, ''), placed`

	showBatchSQL = `select ` + showBatchColumns + `, (select count(*) from lines l where l.batchref = b.ref and l.state = 'allocated')
from batches b where ref = $1`
	showBatchLinesSQL = `select ` + showLineColumns + ` from lines where batchref = $1 and state = 'allocated' order by placed limit $2`

	showProductSQL = `select version, waiting, (select count(*) from batches b where b.sku = p.sku and b.qty > 0) from products p where sku = $1`
	showBatchesSQL = `select ` + showBatchColumns + `, (select count(*) from lines l where l.batchref = b.ref and l.state = 'allocated')
from batches b where sku = $1 and qty > 0 order by eta nulls first, ref limit $2`
	showWaitingSQL = `select ` + showLineColumns + ` from lines where sku = $1 and state = 'waiting' order by placed limit $2`
)

// Batch gives what is known about a batch, with so many lines at most, and store.ErrUnknown where
// nothing is. Totals count all, here and below.
func (v View) Batch(ctx context.Context, ref string, limit int) (*BatchView, error) {
	rows, _ := v.Query(ctx, showBatchSQL, ref)
	batches, err := pgx.CollectRows(rows, pgx.RowToStructByPos[BatchView])
	if err != nil {
		return nil, store.ShowError("show batch", err)
	}
	if len(batches) == 0 {
		return v.batchToCome(ctx, ref)
	}
	batch := &batches[0]
	if batch.Lines, err = v.lines(ctx, showBatchLinesSQL, ref, limit); err != nil {
		return nil, store.ShowError("show lines of batch", err)
	}
	batch.Held, err = v.held(ctx, batch.SKU)
	return batch, err
}

// batchToCome is a batch whose command waits behind a held product, and store.ErrUnknown where none
// does.
func (v View) batchToCome(ctx context.Context, ref string) (*BatchView, error) {
	sku, err := v.WaitsToCreate(ctx, ref)
	if err != nil {
		return nil, store.ShowError("show batch", err)
	}
	b := BatchView{Ref: ref, SKU: sku, ToCome: true}
	b.Held, err = v.held(ctx, sku)
	return &b, err
}

// Product gives what is known about a product, and store.ErrUnknown where nothing is. Of one that
// its first command holds, only that is known.
func (v View) Product(ctx context.Context, sku string, limit int) (*ProductView, error) {
	p := &ProductView{SKU: sku}
	var err error
	if p.Held, err = v.held(ctx, sku); err != nil {
		return nil, err
	}
	rows, _ := v.Query(ctx, showProductSQL, sku)
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (_ struct{}, err error) {
		return struct{}{}, row.Scan(&p.Version, &p.WaitingTotal, &p.BatchesTotal)
	})
	switch {
	case err != nil:
		return nil, store.ShowError("show product", err)
	case len(found)+len(p.Held) == 0:
		return nil, store.ErrUnknown
	case len(found) == 0:
		return p, nil
	}
	rows, _ = v.Query(ctx, showBatchesSQL, sku, limit)
	if p.Batches, err = pgx.CollectRows(rows, pgx.RowToStructByPos[BatchView]); err != nil {
		return nil, store.ShowError("show batches of product", err)
	}
	p.Waiting, err = v.lines(ctx, showWaitingSQL, sku, limit)
	return p, store.ShowError("show waiting lines of product", err)
}

func (v View) held(ctx context.Context, skus ...string) ([]HeldView, error) {
	keys, err := v.Held(ctx, skus...)
	var held []HeldView
	for _, k := range keys {
		held = append(held, HeldView{k.Key, k})
	}
	return held, store.ShowError("show which products are held", err)
}

func (v View) lines(ctx context.Context, query, key string, limit int) ([]LineView, error) {
	rows, _ := v.Query(ctx, query, key, limit) // its error is that of the rows, too
	return pgx.CollectRows(rows, pgx.RowToStructByPos[LineView])
}
