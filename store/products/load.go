package products

import (
	"context"

	"github.com/jackc/pgx/v5"

	"allocation/domain/product"
	"allocation/store"
)

// loaded is what a transaction has read: the catalog that decides, and what the outbox needs beside
// it.
type loaded struct {
	catalog  *product.Catalog
	versions map[string]int64             // of each product read; 0: absent. Every load must find the same
	products map[string]store.Ref         // each product's last event
	batches  map[string]store.Ref         // each batch's last event; the zero value where that is not known
	lines    map[product.LineID]store.Ref // each line's last event
	owners   map[string]string            // the SKU of each batch read or made; empty: absent when it was read
	absent   map[string]struct{}          // references that were read and not found
}

func newLoaded() *loaded {
	return &loaded{
		catalog:  product.NewCatalog(),
		versions: map[string]int64{},
		products: map[string]store.Ref{},
		batches:  map[string]store.Ref{},
		lines:    map[product.LineID]store.Ref{},
		owners:   map[string]string{},
		absent:   map[string]struct{}{},
	}
}

// productOf is the product of a command. Where it names a batch, that is the batch's.
func (l *loaded) productOf(k *product.Keys, tx *store.Tx) string {
	for _, ref := range [...]string{k.Batch, k.Makes} {
		if ref == "" {
			continue
		}
		if owner := l.owners[ref]; owner != "" {
			return owner
		}
		if waiting := tx.HeldFor(ref); waiting != "" {
			return waiting
		}
	}
	return k.SKU
}

// remember keeps the owner of a batch that a command made.
func (l *loaded) remember(k *product.Keys) {
	if k.Makes != "" && l.owners[k.Makes] == "" {
		l.owners[k.Makes] = k.SKU
	}
}

const (
	batchFields = `ref, sku, qty, allocated, coalesce(eta::text, '') eta, first_qty, coalesce(first_eta::text, '') first_eta, coalesce(revision, -1) revision,
    coalesce(last_change, '') last_change, coalesce(last_source, 0) last_source, coalesce(last_row, 0) last_row, coalesce(last_day - date '2000-01-01', 0) last_day`
	lineFields = `l.orderid, l.sku, l.lineid, l.qty, l.placed, l.state::text, coalesce(l.batchref, ''), l.last_source, l.last_row, l.last_day - date '2000-01-01'`

	// The products' versions are read first: if one is still the same when the batch is written,
	// then everything read after it is, too. A row's newest version is found first by a look
	// backwards in the index, which the range is for: by `=`, it is read forwards, through all
	// versions that an old snapshot keeps.
	productsSQL = `
select p.* from unnest($1::text[]) n (sku) cross join lateral (` + newestProduct + `) p
union
select p.* from unnest($2::text[]) r (ref)
cross join lateral (select sku from batches where ref >= r.ref and ref <= r.ref order by ref desc limit 1) n
cross join lateral (` + newestProduct + `) p`

	newestProduct = `
    select sku, version, waiting, last_source, last_row from products where sku >= n.sku and sku <= n.sku order by sku desc limit 1`

	batchesSQL = `
select b.* from unnest($1::text[]) n (ref)
cross join lateral (select ` + batchFields + ` from batches where ref >= n.ref and ref <= n.ref order by ref desc limit 1) b`

	// A line comes with its batch, because what happens to the one happens to the other.
	linesSQL = `
select coalesce(b.ref, ''), coalesce(b.sku, ''), coalesce(b.qty, 0), coalesce(b.allocated, 0), coalesce(b.eta, ''), coalesce(b.first_qty, 0),
    coalesce(b.first_eta, ''), coalesce(b.revision, -1), coalesce(b.last_change, ''),
    coalesce(b.last_source, 0), coalesce(b.last_row, 0), coalesce(b.last_day, 0), ` + lineFields + `
from unnest($1::text[], $2::text[], $3::text[]) k (orderid, sku, lineid)
cross join lateral (select * from lines where orderid = k.orderid and sku = k.sku and lineid = k.lineid limit 1) l
left join lateral (select ` + batchFields + ` from batches where ref >= l.batchref and ref <= l.batchref order by ref desc limit 1) b on true`

	openSQL = `
select b.* from unnest($1::text[], $2::int[], $3::bigint[]) n (sku, most, least)
cross join lateral (select ` + batchFields + ` from batches where sku = n.sku and open and qty - allocated >= n.least order by eta nulls first, ref limit n.most) b`

	tailsSQL = `
select n.ref, ` + lineFields + ` from unnest($1::text[], $2::bigint[]) n (ref, shrink_to) cross join lateral lines_to_release(n.ref, n.shrink_to) l
limit $3`

	waitingSQL = `
select ` + lineFields + ` from unnest($1::text[], $2::bigint[], $3::int[]) n (sku, reach, per_qty)
cross join lateral lines_that_wait(n.sku, n.reach, n.per_qty) l`
)

// load reads what is needed in one round trip, and tells the catalog. It is not whole where batches
// have more lines to release than were asked for at once.
func (l *loaded) load(ctx context.Context, tx *store.Tx, ask *question) (whole bool, err error) {
	if ask.empty() {
		return true, nil
	}
	ask.whole = true
	err = tx.Load(ctx, l.batch(ask), ask.skus, ask.refs, nil)
	return ask.whole, err
}

// batch asks everything. What is learned of an answer relies on those before it.
func (l *loaded) batch(q *question) *pgx.Batch {
	b := &pgx.Batch{}
	ask := func(sql string, learn func(pgx.Rows, *question) error, args ...any) {
		b.Queue(sql, args...).Query(func(rows pgx.Rows) error { return learn(rows, q) })
	}
	ask(productsSQL, l.learnProducts, q.skus, q.refs)
	if len(q.refs) > 0 {
		ask(batchesSQL, l.learnBatches, q.refs)
	}
	if len(q.lines) > 0 {
		ask(linesSQL, l.learnLines, q.orderIDs, q.lineSKUs, q.lids)
	}
	if len(q.open) > 0 {
		ask(openSQL, l.learnOpen, q.open, q.most, q.least)
	}
	if len(q.tails) > 0 {
		var refs []string
		var shrinkTo []int64
		for _, t := range q.tails {
			refs, shrinkTo = append(refs, t.ref), append(shrinkTo, t.shrinkTo)
		}
		ask(tailsSQL, l.learnTails, refs, shrinkTo, q.maxLines)
	}
	if len(q.waiting) > 0 {
		ask(waitingSQL, l.learnWaiting, q.waiting, q.reach, q.perQty)
	}
	return b
}
