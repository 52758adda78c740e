package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrUnknown is returned by the Show methods for an order, a product or a batch that the database
// has never heard of.
var ErrUnknown = errors.New("unknown")

// showMost bounds the history of a line, and lists of what is rare.
const showMost = 1000

// BatchView is a batch as it is now.
type BatchView struct {
	Ref       string `json:"ref"`
	SKU       string `json:"sku"`
	Qty       int64  `json:"qty"`
	Allocated int64  `json:"allocated"`
	Available int64  `json:"available"`
	ETA       string `json:"eta,omitempty"` // empty: in the warehouse
	Revision  *int64 `json:"revision,omitempty"`

	Lines      []LineView `json:"lines,omitempty"` // those allocated to it, in placed order
	LinesTotal int64      `json:"lines_total"`

	ToCome bool       `json:"to_come,omitempty"` // there is no such batch yet: its command waits behind the held product
	Held   []HeldView `json:"held,omitempty"`    // its product, where that is held
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

	History []HistoryView `json:"history,omitempty"` // oldest first
	// HistoryCut says that older events are no longer in the database.
	HistoryCut bool `json:"history_cut,omitempty"`
}

// HistoryView is one event of an order line, and the command that it came from.
type HistoryView struct {
	Type      string          `json:"type"`
	Sequence  int64           `json:"sequence"`
	Data      json.RawMessage `json:"data"`
	Time      *time.Time      `json:"time,omitempty"` // of the command's record
	CommandID string          `json:"command_id,omitempty"`
	Topic     string          `json:"topic"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
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

const (
	showBatchColumns = `ref, sku, qty, allocated, qty - allocated, coalesce(eta::text, ''), revision`
	showLineColumns  = `orderid, sku, lineid, qty, state::text, coalesce(batchref, ''), placed`

	showBatchSQL      = `select ` + showBatchColumns + ` from batches where ref = $1`
	showBatchLinesSQL = `select ` + showLineColumns + ` from lines where batchref = $1 and state = 'allocated' order by placed limit $2`
	countLinesSQL     = `select count(*) from lines where batchref = $1 and state = 'allocated'`

	showProductSQL = `select sku, version, waiting, (select count(*) from batches b where b.sku = p.sku and b.qty > 0) from products p where sku = $1`
	showBatchesSQL = `select ` + showBatchColumns + `, (select count(*) from lines l where l.batchref = b.ref and l.state = 'allocated')
from batches b where sku = $1 and qty > 0 order by eta nulls first, ref limit $2`
	showWaitingSQL = `select ` + showLineColumns + ` from lines where sku = $1 and state = 'waiting' order by placed limit $2`

	showOrderSQL = `select ` + showLineColumns + `, last_source, last_row, last_day, count(*) over () from lines where orderid = $1 order by sku, lineid limit $2`

	// From a line's last event, each knows the one before it. Days that were dropped end the
	// history.
	showHistorySQL = `
with recursive history as (
    select o.*, 1 as step from outbox o where source = $1 and row_no = $2 and day = $3
    union all
    select o.*, h.step + 1 from history h join outbox o on o.source = h.previous_source and o.row_no = h.previous_row and o.day = h.previous_day
    where h.step < $4)
select type, coalesce(sequence, 0), value, command_time, coalesce(command_id, ''), p.topic, p.partition, command_offset, previous_source is not null
from history join positions p using (source) order by step desc`
)

// ShowBatch is what is known about a batch, with so many lines at most, and ErrUnknown where
// nothing is. Totals count all, here and below.
func (s *Store) ShowBatch(ctx context.Context, ref string, limit int) (*BatchView, error) {
	rows, _ := s.pool.Query(ctx, showBatchSQL, ref)
	batch, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (b BatchView, err error) {
		return b, row.Scan(b.fields()...)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return s.batchToCome(ctx, ref)
	}
	if err != nil {
		return nil, showError("show batch", err)
	}
	if batch.Lines, err = s.showLines(ctx, showBatchLinesSQL, ref, limit); err != nil {
		return nil, showError("show lines of batch", err)
	}
	if err = s.pool.QueryRow(ctx, countLinesSQL, ref).Scan(&batch.LinesTotal); err != nil {
		return nil, showError("count lines of batch", err)
	}
	batch.Held, err = s.showHeld(ctx, batch.SKU)
	return &batch, showError("show whether the batch's product is held", err)
}

// ShowProduct is what is known about a product, and ErrUnknown where nothing is. Of one that its
// first command holds, only that is known.
func (s *Store) ShowProduct(ctx context.Context, sku string, limit int) (*ProductView, error) {
	p := ProductView{SKU: sku}
	var err error
	if p.Held, err = s.showHeld(ctx, sku); err != nil {
		return nil, showError("show whether the product is held", err)
	}
	err = s.pool.QueryRow(ctx, showProductSQL, sku).Scan(&p.SKU, &p.Version, &p.WaitingTotal, &p.BatchesTotal)
	if errors.Is(err, pgx.ErrNoRows) && len(p.Held) > 0 {
		return &p, nil
	}
	if err != nil {
		return nil, showError("show product", err)
	}
	rows, _ := s.pool.Query(ctx, showBatchesSQL, sku, limit)
	p.Batches, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (b BatchView, err error) {
		return b, row.Scan(append(b.fields(), &b.LinesTotal)...)
	})
	if err != nil {
		return nil, showError("show batches of product", err)
	}
	p.Waiting, err = s.showLines(ctx, showWaitingSQL, sku, limit)
	return &p, showError("show waiting lines of product", err)
}

// ShowOrder is what is known about an order, and ErrUnknown where nothing is.
func (s *Store) ShowOrder(ctx context.Context, id string, limit int) (*OrderView, error) {
	type found struct {
		line LineView
		last lastEvent
	}
	order := &OrderView{OrderID: id, Lines: []LineView{}}
	rows, _ := s.pool.Query(ctx, showOrderSQL, id, limit)
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f found, err error) {
		return f, row.Scan(append(f.line.fields(), &f.last.source, &f.last.row, &f.last.day, &order.LinesTotal)...)
	})
	if err != nil {
		return nil, showError("show order", err)
	}
	if order.Waiting, order.WaitingTotal, err = s.orderCommands(ctx, orderWaitsSQL, id, limit); err != nil {
		return nil, showError("show commands of the order that wait", err)
	}
	if order.Refused, order.RefusedTotal, err = s.orderCommands(ctx, orderLettersSQL, id, limit); err != nil {
		return nil, showError("show dead letters of the order", err)
	}
	if len(lines)+len(order.Waiting)+len(order.Refused) == 0 {
		return nil, ErrUnknown
	}
	var skus []string
	for _, c := range append(slices.Clone(order.Waiting), order.Refused...) {
		skus = append(skus, c.SKU)
	}
	for _, l := range lines {
		if err := s.showHistory(ctx, &l.line, l.last); err != nil {
			return nil, showError("show history of order", err)
		}
		order.Lines = append(order.Lines, l.line)
		skus = append(skus, l.line.SKU)
	}
	order.Held, err = s.showHeld(ctx, skus...)
	return order, showError("show which products of the order are held", err)
}

// lastEvent is where a line's history begins.
type lastEvent struct {
	source int32
	row    int64
	day    time.Time
}

func (s *Store) showHistory(ctx context.Context, line *LineView, last lastEvent) error {
	line.HistoryCut = true // until an event without one before it is found
	rows, err := s.pool.Query(ctx, showHistorySQL, last.source, last.row, last.day, showMost)
	if err != nil {
		return err
	}
	line.History, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (h HistoryView, err error) {
		var ms *int64
		var more bool
		err = row.Scan(&h.Type, &h.Sequence, &h.Data, &ms, &h.CommandID, &h.Topic, &h.Partition, &h.Offset, &more)
		if ms != nil {
			at := time.UnixMilli(*ms).UTC()
			h.Time = &at
		}
		line.HistoryCut = line.HistoryCut && more
		return h, err
	})
	return err
}

func (s *Store) showLines(ctx context.Context, query, key string, limit int) ([]LineView, error) {
	rows, err := s.pool.Query(ctx, query, key, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l LineView, err error) {
		return l, row.Scan(l.fields()...)
	})
}

func (b *BatchView) fields() []any {
	return []any{&b.Ref, &b.SKU, &b.Qty, &b.Allocated, &b.Available, &b.ETA, &b.Revision}
}

func (l *LineView) fields() []any {
	return []any{&l.OrderID, &l.SKU, &l.LineID, &l.Qty, &l.State, &l.BatchRef, &l.Placed}
}

func showError(doing string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrUnknown
	}
	return readError(doing, err)
}
