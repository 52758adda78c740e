package verify

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// comparison compares what events add up to with the tables. Before it looks at rows it folds what
// was committed up to their snapshot.
type comparison struct {
	v      *verifier
	fold   *fold
	follow *follower
}

type productVersion struct {
	SKU     string
	Version int64
}

type batchRow struct {
	Ref, SKU string
	Qty      int64
	ETA      string
	FirstQty int64
	FirstETA string
	Revision int64
}

type lineState struct {
	OrderID, SKU, LineID string
	Qty, Placed          int64
	State, BatchRef      string
}

const (
	batchColumns     = `ref, sku, qty, coalesce(eta::text, ''), first_qty, coalesce(first_eta::text, ''), coalesce(revision, -1)`
	lineColumns      = `l.orderid, l.sku, l.lineid, l.qty, l.placed, l.state::text, coalesce(l.batchref, '')`
	versionsSQL      = `select sku, version from products where sku > $1 order by sku limit $2`
	batchesSQL       = `select ` + batchColumns + ` from batches where ref > $1 order by ref limit $2`
	linesToFoldSQL   = `select ` + lineColumns + ` from lines l where (orderid, sku, lineid) > ($1, $2, $3) order by orderid, sku, lineid limit $4`
	theseVersionsSQL = `select sku, version from products where sku = any($1)`
	theseBatchesSQL  = `select ` + batchColumns + ` from batches where ref = any($1)`
	theseLinesSQL    = `
select ` + lineColumns + ` from unnest($1::text[], $2::text[], $3::text[]) k (orderid, sku, lineid)
cross join lateral (select * from lines where orderid = k.orderid and sku = k.sku and lineid = k.lineid limit 1) l`
)

func (c *comparison) compare(ctx context.Context) error {
	for _, part := range []func(context.Context) error{
		c.products, c.batches, c.lines, c.unseenProducts, c.unseenBatches, c.unseenLines,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// scan walks a table, and catches up with the outbox before each chunk: outside of its snapshot
// first, so that this is short.
func scan[T any](ctx context.Context, c *comparison, what string, chunk func(tx pgx.Tx, after T, limit int) ([]T, error), check func(*T) error) error {
	read := func(tx pgx.Tx, after T, limit int) ([]T, error) {
		if err := c.follow.until(ctx, tx); err != nil {
			return nil, err
		}
		return chunk(tx, after, limit)
	}
	doing := fmt.Sprintf("pass %d: %s compared", c.v.summary.Passes, what)
	return walk(ctx, c.v, doing, read, func(_ pgx.Tx, rows []T) error {
		for i := range rows {
			if err := check(&rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *comparison) products(ctx context.Context) error {
	return scan(ctx, c, "products", func(tx pgx.Tx, after productVersion, limit int) ([]productVersion, error) {
		return collect[productVersion](ctx, tx, versionsSQL, after.SKU, limit)
	}, c.product)
}

func (c *comparison) batches(ctx context.Context) error {
	return scan(ctx, c, "batches", func(tx pgx.Tx, after batchRow, limit int) ([]batchRow, error) {
		return collect[batchRow](ctx, tx, batchesSQL, after.Ref, limit)
	}, c.batch)
}

func (c *comparison) lines(ctx context.Context) error {
	return scan(ctx, c, "lines", func(tx pgx.Tx, after lineState, limit int) ([]lineState, error) {
		return collect[lineState](ctx, tx, linesToFoldSQL, after.OrderID, after.SKU, after.LineID, limit)
	}, c.line)
}

func (c *comparison) product(row *productVersion) error {
	if !c.v.wants(row.SKU) || !c.fold.holds(productPoint(row.SKU)) {
		return nil
	}
	p := c.fold.products[row.SKU]
	if p != nil {
		p.seen = true
	}
	if !p.whole() {
		c.v.summary.HistoryCut++
		return nil
	}
	c.v.summary.Folded++
	return c.v.reportIf(row.Version != p.version, CheckEvents, row.SKU, "products", row.SKU,
		fmt.Sprintf("version %d", p.version), fmt.Sprintf("version %d", row.Version))
}

func (c *comparison) batch(row *batchRow) error {
	if !c.v.wants(row.SKU) || !c.fold.holds(batchPoint(row.SKU, row.Ref)) || !c.fold.products[row.SKU].whole() {
		return nil
	}
	has := batch{sku: row.SKU, qty: row.Qty, firstQty: row.FirstQty, eta: row.ETA, firstETA: row.FirstETA, revision: row.Revision}
	told := c.fold.batches[row.Ref]
	if told == nil {
		return c.v.report(CheckEvents, row.SKU, "batches", row.Ref, "no such batch", has.words())
	}
	told.seen, has.seen = true, true
	return c.v.reportIf(*told != has, CheckEvents, row.SKU, "batches", row.Ref, told.words(), has.words())
}

func (c *comparison) line(row *lineState) error {
	key := lineKey{row.SKU, row.OrderID, row.LineID}
	if !c.v.wants(row.SKU) || !c.fold.holds(linePoint(key)) || !c.fold.products[row.SKU].whole() {
		return nil
	}
	has := line{qty: row.Qty, placed: row.Placed, state: row.State, batch: row.BatchRef}
	told := c.fold.lines[key]
	if told == nil {
		return c.v.report(CheckEvents, row.SKU, "lines", lineName(row.OrderID, row.LineID), "no such line", has.words())
	}
	told.seen, has.seen = true, true
	return c.v.reportIf(*told != has, CheckEvents, row.SKU, "lines", lineName(row.OrderID, row.LineID), told.words(), has.words())
}
