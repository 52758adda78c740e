package products

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/store"
)

// OrderStory is how an order came to be as it is.
type OrderStory struct {
	OrderID string             `json:"orderid"`
	Lines   []LineStory        `json:"lines"`
	More    int64              `json:"more_lines,omitempty"`
	Waiting []OrderCommandView `json:"waiting_commands,omitempty"` // behind held products
	Refused []OrderCommandView `json:"refused_commands,omitempty"` // dead letters, but for those that were retried
	Held    []HeldView         `json:"held,omitempty"`
}

// LineStory is how an order line came to be as it is.
type LineStory struct {
	LineView
	PlacedAt *time.Time        `json:"placed_at,omitempty"`
	ETA      string            `json:"eta,omitempty"` // of its batch; empty: in the warehouse, or no batch
	Events   []store.EventView `json:"events"`        // oldest first
	Cut      bool              `json:"events_cut,omitempty"`

	// Of a line that waits: the open batches that have most now, and how many lines were placed
	// before it and wait, counted up to a bound.
	Most   []BatchView `json:"most_available,omitempty"`
	Before int64       `json:"placed_before,omitempty"`
	// Better is the first batch that comes before that of an allocated line, and could take it now.
	Better *BatchView `json:"better,omitempty"`
}

const (
	storyLinesSQL = `
select ` + showLineColumns + `, placed_at, last_source, last_row, last_day - date '2000-01-01', count(*) over (),
    coalesce((select eta::text from batches b where b.ref >= l.batchref and b.ref <= l.batchref order by b.ref desc limit 1), '')
from lines l where orderid = $1 and ($2 = '' or sku = $2) order by sku, lineid limit $3`

	storyMostSQL = `select ` + showBatchColumns + `, 0 from batches where sku = $1 and open order by qty - allocated desc, eta nulls first, ref limit 3`

	// From one quantity to the next by the index, as lines_that_wait does.
	storyBeforeSQL = `
with recursive sizes as (
    select (select min(qty) from lines where sku = $1 and state = 'waiting') as qty
    union all
    select (select min(qty) from lines where sku = $1 and state = 'waiting' and qty > s.qty) from sizes s where s.qty is not null)
select least(coalesce(sum(n), 0), $3::bigint)::bigint from (
    select (select count(*) from (select from lines where sku = $1 and state = 'waiting' and qty = s.qty and placed < $2 limit $3) l) as n
    from sizes s where s.qty is not null limit $3) n`

	storyBetterSQL = `
select ` + showBatchColumns + `, 0 from batches b
where sku = $1 and open and qty - allocated >= $2 and (coalesce(eta, '-infinity'), ref) < (coalesce($3::date, '-infinity'), $4)
order by eta nulls first, ref limit 1`
)

// MaxBefore bounds how many lines are counted that wait in front of one.
const MaxBefore = 1000

// OrderStory tells how an order came to be as it is, with so many lines at most; of one product
// where a SKU is given. It is store.ErrUnknown where nothing is known.
func (v View) OrderStory(ctx context.Context, id, sku string, limit int) (*OrderStory, error) {
	now, err := v.Order(ctx, id, limit)
	if err != nil {
		return nil, err
	}
	story := &OrderStory{OrderID: id, Lines: []LineStory{}, Waiting: now.Waiting, Refused: now.Refused, Held: now.Held}
	var last []store.Ref
	var total int64
	rows, _ := v.Query(ctx, storyLinesSQL, id, sku, limit) // its error is that of the rows, too
	story.Lines, err = pgx.AppendRows(story.Lines, rows, func(row pgx.CollectableRow) (l LineStory, err error) {
		var ref store.Ref
		source, number, day := ref.Scan()
		err = row.Scan(&l.OrderID, &l.SKU, &l.LineID, &l.Qty, &l.State, &l.BatchRef, &l.Placed, &l.PlacedAt, source, number, day, &total, &l.ETA)
		last = append(last, ref)
		return l, err
	})
	if err != nil {
		return nil, store.ShowError("explain order", err)
	}
	story.More = total - int64(len(story.Lines))
	for i := range story.Lines {
		if err := v.tell(ctx, &story.Lines[i], last[i]); err != nil {
			return nil, store.ShowError("explain order", err)
		}
	}
	return story, nil
}

func (v View) tell(ctx context.Context, l *LineStory, last store.Ref) (err error) {
	if l.Events, l.Cut, err = v.History(ctx, last); err != nil {
		return err
	}
	switch l.State {
	case "waiting":
		rows, _ := v.Query(ctx, storyMostSQL, l.SKU) // as above
		if l.Most, err = pgx.CollectRows(rows, pgx.RowToStructByPos[BatchView]); err != nil {
			return err
		}
		rows, _ = v.Query(ctx, storyBeforeSQL, l.SKU, l.Placed, MaxBefore)
		l.Before, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	case "allocated":
		var eta *string
		if l.ETA != "" {
			eta = &l.ETA
		}
		var better []BatchView
		rows, _ := v.Query(ctx, storyBetterSQL, l.SKU, l.Qty, eta, l.BatchRef)
		if better, err = pgx.CollectRows(rows, pgx.RowToStructByPos[BatchView]); len(better) > 0 {
			l.Better = &better[0]
		}
	}
	return err
}

// BatchStory is how a batch came to be as it is: what changed its quantity or its date.
type BatchStory struct {
	BatchView
	Events []store.EventView `json:"events"` // oldest first
	Cut    bool              `json:"events_cut,omitempty"`
}

const batchThreadSQL = `select coalesce(last_source, 0), coalesce(last_row, 0), coalesce(last_day - date '2000-01-01', 0) from batches
where ref >= $1 and ref <= $1 order by ref desc limit 1`

// BatchStory tells how a batch came to be as it is, and store.ErrUnknown where nothing is known.
func (v View) BatchStory(ctx context.Context, ref string, limit int) (*BatchStory, error) {
	now, err := v.Batch(ctx, ref, limit)
	if err != nil {
		return nil, err
	}
	story := &BatchStory{BatchView: *now, Events: []store.EventView{}, Cut: true}
	last, ok, err := v.last(ctx, batchThreadSQL, ref)
	if err != nil || !ok {
		return story, store.ShowError("explain batch", err)
	}
	story.Events, story.Cut, err = v.AlsoHistory(ctx, last)
	return story, store.ShowError("explain batch", err)
}

// ProductStory is what happened to a product.
type ProductStory struct {
	ProductView
	Since  time.Time         `json:"since"`
	Events []store.EventView `json:"events"` // oldest first
	Cut    bool              `json:"events_cut,omitempty"`
}

const productThreadSQL = `select last_source, last_row, 0 from products where sku >= $1 and sku <= $1 order by sku desc limit 1`

// ProductStory tells what happened to a product since a day, the last so many events, and
// store.ErrUnknown where nothing is known.
func (v View) ProductStory(ctx context.Context, sku string, since time.Time, limit int) (*ProductStory, error) {
	now, err := v.Product(ctx, sku, limit)
	if err != nil {
		return nil, err
	}
	story := &ProductStory{ProductView: *now, Since: since, Events: []store.EventView{}}
	last, ok, err := v.last(ctx, productThreadSQL, sku)
	if err != nil || !ok {
		return story, store.ShowError("explain product", err)
	}
	story.Events, story.Cut, err = v.Chain(ctx, last, since, limit)
	return story, store.ShowError("explain product", err)
}

// last reads where a thread begins; false where that is not known.
func (v View) last(ctx context.Context, query, key string) (ref store.Ref, ok bool, err error) {
	source, row, day := ref.Scan()
	rows, _ := v.Query(ctx, query, key) // its error is that of the rows, too
	_, err = pgx.ForEachRow(rows, []any{source, row, day}, func() error { return nil })
	return ref, ref.Source > 0, err
}
