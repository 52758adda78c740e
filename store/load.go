package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"allocation/domain"
	"allocation/outbox"
	"allocation/worker"
)

type querier interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// loaded is what a transaction has read: the catalog that decides, and what the outbox needs beside it.
type loaded struct {
	catalog  *domain.Catalog
	versions map[string]int64              // of each product read; 0: absent. Every load must find the same
	products map[string]outbox.Predecessor // the outbox row of each product's last event
	lines    map[domain.LineID]history     // the outbox row of each line's last event
	owners   map[string]string             // the SKU of each batch read or made; empty: absent when it was read
	absent   map[string]struct{}           // references that were read and not found
}

func newLoaded() *loaded {
	return &loaded{
		catalog:  domain.NewCatalog(),
		versions: map[string]int64{},
		products: map[string]outbox.Predecessor{},
		lines:    map[domain.LineID]history{},
		owners:   map[string]string{},
		absent:   map[string]struct{}{},
	}
}

// names says which product and which batch a command names; empty where it names none.
func names(c domain.Command) (sku, ref string) {
	switch c := c.(type) {
	case domain.CreateBatch:
		return c.SKU, c.Ref
	case domain.ChangeBatchQuantity:
		return c.SKU, c.BatchRef
	case domain.ChangeBatchEta:
		return c.SKU, c.BatchRef
	case domain.Allocate:
		return c.Line.SKU, ""
	case domain.Deallocate:
		return c.Line.SKU, ""
	case domain.Dispatch:
		return c.Line.SKU, ""
	}
	return "", ""
}

// mentions is names, with the product found by its batch where the command leaves it out.
func (l *loaded) mentions(c domain.Command) (sku, ref string) {
	sku, ref = names(c)
	if owner := l.owners[ref]; owner != "" {
		sku = owner
	}
	return sku, ref
}

// remember keeps the owner of a batch that a command made.
func (l *loaded) remember(c domain.Command) {
	if create, ok := c.(domain.CreateBatch); ok && l.owners[create.Ref] == "" {
		l.owners[create.Ref] = create.SKU
	}
}

const (
	batchFields = `ref, sku, qty, allocated, coalesce(eta::text, '') eta, first_qty, coalesce(first_eta::text, '') first_eta, coalesce(revision, -1) revision,
    coalesce(last_change, '') last_change`
	lineFields = `l.orderid, l.sku, l.lineid, l.qty, l.placed, l.state::text, coalesce(l.batchref, ''), l.last_source, l.last_row, l.last_day::text`

	// The products' versions are read first: if one is still the same when the batch is written, then everything read after it is, too.
	productsSQL = `
select sku, version, waiting, last_source, last_row from products where sku = any($1)
union
select p.sku, p.version, p.waiting, p.last_source, p.last_row from unnest($2::text[]) n (ref)
cross join lateral (select sku from batches where ref = n.ref limit 1) b
cross join lateral (select * from products where sku = b.sku limit 1) p`

	batchesSQL = `select ` + batchFields + ` from batches where ref = any($1)`

	// A line comes with its batch, because what happens to the one happens to the other.
	linesSQL = `
select coalesce(b.ref, ''), coalesce(b.sku, ''), coalesce(b.qty, 0), coalesce(b.allocated, 0), coalesce(b.eta, ''), coalesce(b.first_qty, 0),
    coalesce(b.first_eta, ''), coalesce(b.revision, -1), coalesce(b.last_change, ''), ` + lineFields + `
from unnest($1::text[], $2::text[], $3::text[]) k (orderid, sku, lineid)
cross join lateral (select * from lines where orderid = k.orderid and sku = k.sku and lineid = k.lineid limit 1) l
left join lateral (select ` + batchFields + ` from batches where ref = l.batchref limit 1) b on true`

	openSQL = `
select b.* from unnest($1::text[], $2::int[]) n (sku, most)
cross join lateral (select ` + batchFields + ` from batches where sku = n.sku and open order by eta nulls first, ref limit n.most) b`

	tailsSQL = `
select n.ref, ` + lineFields + ` from unnest($1::text[], $2::bigint[]) n (ref, shrink_to) cross join lateral lines_to_release(n.ref, n.shrink_to) l`

	waitingSQL = `
select ` + lineFields + ` from unnest($1::text[], $2::bigint[], $3::int[]) n (sku, reach, per_qty)
cross join lateral lines_that_wait(n.sku, n.reach, n.per_qty) l`
)

// load reads what is needed in one round trip, without locks, and tells the catalog.
func (l *loaded) load(ctx context.Context, db querier, need *domain.Need) error {
	ask := newQuestion(need)
	results := db.SendBatch(ctx, ask.pipeline())
	err := l.learn(results, ask)
	if closed := results.Close(); err == nil {
		err = closed
	}
	return readError("load", err)
}

func (l *loaded) learn(results pgx.BatchResults, ask *question) error {
	if err := l.learnProducts(results, ask); err != nil {
		return err
	}
	if err := l.learnBatches(results, ask); err != nil {
		return err
	}
	if err := l.learnLines(results, ask); err != nil {
		return err
	}
	if err := l.learnOpen(results, ask); err != nil {
		return err
	}
	if err := l.learnTails(results, ask); err != nil {
		return err
	}
	return l.learnWaiting(results, ask)
}

func (l *loaded) learnProducts(results pgx.BatchResults, ask *question) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	found := map[string]int64{}
	var sku string
	var version, waiting int64
	var last outbox.Predecessor
	_, err = pgx.ForEachRow(rows, []any{&sku, &version, &waiting, &last.Source, &last.Row}, func() error {
		found[sku] = version
		if read, ok := l.versions[sku]; ok {
			if read != version {
				return fmt.Errorf("%w: product %q moved from version %d to %d while it was read", worker.ErrConflict, sku, read, version)
			}
			return nil
		}
		l.versions[sku] = version
		l.products[sku] = last
		l.catalog.LearnProduct(sku, version, waiting)
		return nil
	})
	if err != nil {
		return err
	}
	for _, sku := range ask.skus {
		if found[sku] != 0 {
			continue
		}
		if read, ok := l.versions[sku]; ok && read != 0 {
			return fmt.Errorf("%w: product %q vanished while it was read", worker.ErrConflict, sku)
		}
		if _, ok := l.versions[sku]; !ok {
			l.versions[sku] = 0
			l.catalog.LearnProduct(sku, 0, 0)
		}
	}
	return nil
}

func (l *loaded) learnBatches(results pgx.BatchResults, ask *question) error {
	if len(ask.refs) == 0 {
		return nil
	}
	if err := l.eachBatch(results, nil); err != nil {
		return err
	}
	for _, ref := range ask.refs {
		if _, ok := l.owners[ref]; !ok {
			l.owners[ref] = ""
			l.absent[ref] = struct{}{}
			l.catalog.LearnNoBatch(ref)
		}
	}
	return nil
}

func (l *loaded) eachBatch(results pgx.BatchResults, also func(*domain.Batch)) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	var b domain.Batch
	_, err = pgx.ForEachRow(rows, batchColumns(&b), func() error {
		if also != nil {
			also(&b)
		}
		return l.learnBatch(b)
	})
	return err
}

// batchColumns is where to scan batchFields.
func batchColumns(b *domain.Batch) []any {
	return []any{&b.Ref, &b.SKU, &b.Qty, &b.Allocated, &b.ETA, &b.FirstQty, &b.FirstETA, &b.Revision, &b.LastChange}
}

func (l *loaded) learnBatch(b domain.Batch) error {
	_, product := l.versions[b.SKU]
	_, gone := l.absent[b.Ref]
	if !product || gone {
		return fmt.Errorf("%w: batch %q appeared while it was read", worker.ErrConflict, b.Ref)
	}
	l.owners[b.Ref] = b.SKU
	l.catalog.LearnBatch(b)
	return nil
}

func (l *loaded) learnLines(results pgx.BatchResults, ask *question) error {
	if len(ask.lines) == 0 {
		return nil
	}
	found := make(map[domain.LineID]struct{}, len(ask.lines))
	var b domain.Batch
	if err := l.eachLine(results, batchColumns(&b), func(line *domain.Line) error {
		found[line.ID] = struct{}{}
		if b.Ref == "" {
			return nil
		}
		return l.learnBatch(b)
	}); err != nil {
		return err
	}
	for _, id := range ask.lines {
		if _, ok := found[id]; !ok {
			l.catalog.LearnNoLine(id)
		}
	}
	return nil
}

// eachLine learns a result of order lines; before holds where to scan columns that stand before a line's.
func (l *loaded) eachLine(results pgx.BatchResults, before []any, also func(*domain.Line) error) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	var line domain.Line
	var state string
	var last history
	columns := append(slices.Clip(before), &line.ID.OrderID, &line.ID.SKU, &line.ID.LineID, &line.Qty, &line.Placed, &state, &line.BatchRef, &last.source, &last.row, &last.day)
	_, err = pgx.ForEachRow(rows, columns, func() error {
		line.State = lineStates[state]
		if _, ok := l.lines[line.ID]; !ok {
			l.lines[line.ID] = last
		}
		l.catalog.LearnLine(line)
		return also(&line)
	})
	return err
}

func (l *loaded) learnOpen(results pgx.BatchResults, ask *question) error {
	if len(ask.open) == 0 {
		return nil
	}
	found, last := map[string]int32{}, map[string]domain.Batch{}
	if err := l.eachBatch(results, func(b *domain.Batch) {
		found[b.SKU]++
		last[b.SKU] = *b
	}); err != nil {
		return err
	}
	for i, sku := range ask.open {
		if b := last[sku]; found[sku] == ask.most[i] {
			l.catalog.LearnOpen(sku, &b)
			continue
		}
		l.catalog.LearnOpen(sku, nil)
	}
	return nil
}

func (l *loaded) learnTails(results pgx.BatchResults, ask *question) error {
	if len(ask.tails) == 0 {
		return nil
	}
	from := map[string]int64{}
	var ref string
	if err := l.eachLine(results, []any{&ref}, func(line *domain.Line) error {
		from[ref] = line.Placed
		return nil
	}); err != nil {
		return err
	}
	for ref, placed := range from { // last placed first, so the last row of each is its frontier
		l.catalog.LearnTail(ref, placed)
	}
	return nil
}

func (l *loaded) learnWaiting(results pgx.BatchResults, ask *question) error {
	if len(ask.waiting) == 0 {
		return nil
	}
	type class struct {
		sku string
		qty int64
	}
	count, last := map[class]int32{}, map[class]int64{}
	if err := l.eachLine(results, nil, func(line *domain.Line) error {
		c := class{line.ID.SKU, line.Qty}
		count[c]++
		last[c] = line.Placed
		return nil
	}); err != nil {
		return err
	}
	for i, sku := range ask.waiting {
		truncated := map[int64]int64{}
		for c, n := range count {
			if c.sku == sku && n == ask.perQty[i] {
				truncated[c.qty] = last[c]
			}
		}
		l.catalog.LearnWaiting(sku, ask.reach[i], truncated)
	}
	return nil
}

var lineStates = map[string]domain.LineState{
	"waiting":    domain.Waiting,
	"allocated":  domain.Allocated,
	"cancelled":  domain.Cancelled,
	"dispatched": domain.Dispatched,
}
