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

// snapshot calls read with a snapshot whose events are folded.
func (c *comparison) snapshot(ctx context.Context, read func(pgx.Tx) error) error {
	return c.v.db.Snapshot(ctx, func(tx pgx.Tx) error {
		if err := c.follow.until(ctx, tx); err != nil {
			return err
		}
		return read(tx)
	})
}

// scan walks a table.
func scan[T any](ctx context.Context, c *comparison, what, sql string, args func(after *T) []any, check func(*T)) error {
	return walk(ctx, c.v, c.snapshot, fmt.Sprintf("pass %d: %s compared", c.v.summary.Passes, what), sql, args, check)
}

func (c *comparison) products(ctx context.Context) error {
	return scan(ctx, c, "products", versionsSQL, func(after *productVersion) []any { return []any{after.SKU} }, c.product)
}

func (c *comparison) batches(ctx context.Context) error {
	return scan(ctx, c, "batches", batchesSQL, func(after *batchRow) []any { return []any{after.Ref} }, c.batch)
}

func (c *comparison) lines(ctx context.Context) error {
	return scan(ctx, c, "lines", linesToFoldSQL, func(after *lineState) []any { return []any{after.OrderID, after.SKU, after.LineID} }, c.line)
}

func (c *comparison) product(row *productVersion) {
	if !c.v.wants(row.SKU) || !c.fold.holds(productPoint(row.SKU)) {
		return
	}
	p := c.fold.products[row.SKU]
	if p != nil {
		p.seen = true
	}
	if !p.whole() {
		c.v.summary.HistoryCut++
		return
	}
	c.v.summary.Folded++
	c.v.reportIf(row.Version != p.version, CheckEvents, row.SKU, "products", row.SKU,
		fmt.Sprintf("version %d", p.version), fmt.Sprintf("version %d", row.Version))
}

func (c *comparison) batch(row *batchRow) {
	if !c.v.wants(row.SKU) || !c.fold.holds(batchPoint(row.SKU, row.Ref)) || !c.fold.products[row.SKU].whole() {
		return
	}
	has := batch{sku: row.SKU, qty: row.Qty, firstQty: row.FirstQty, eta: row.ETA, firstETA: row.FirstETA, revision: row.Revision}
	told := c.fold.batches[row.Ref]
	if told == nil {
		c.v.report(CheckEvents, row.SKU, "batches", row.Ref, "no such batch", has.words())
		return
	}
	told.seen, has.seen = true, true
	c.v.reportIf(*told != has, CheckEvents, row.SKU, "batches", row.Ref, told.words(), has.words())
}

func (c *comparison) line(row *lineState) {
	key := lineKey{row.SKU, row.OrderID, row.LineID}
	if !c.v.wants(row.SKU) || !c.fold.holds(linePoint(key)) || !c.fold.products[row.SKU].whole() {
		return
	}
	has := line{qty: row.Qty, placed: row.Placed, state: row.State, batch: row.BatchRef}
	told := c.fold.lines[key]
	if told == nil {
		c.v.report(CheckEvents, row.SKU, "lines", lineName(row.OrderID, row.LineID), "no such line", has.words())
		return
	}
	told.seen, has.seen = true, true
	c.v.reportIf(*told != has, CheckEvents, row.SKU, "lines", lineName(row.OrderID, row.LineID), told.words(), has.words())
}
