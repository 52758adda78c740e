package products

import (
	"allocation/domain/product"
	"allocation/store"
)

func (l *loaded) queueProducts(p *store.Pipeline) {
	var skus, absent []string
	var olds, news, waitings, rows []int64
	var sources []int32
	makes := false
	for _, product := range l.catalog.Products() {
		makes = makes || len(product.NewBatches()) > 0
		last := l.products[product.SKU]
		skus, olds, news = append(skus, product.SKU), append(olds, product.Loaded), append(news, product.Version)
		waitings, sources, rows = append(waitings, product.Waiting), append(sources, last.Source), append(rows, last.Row)
	}
	for ref := range l.absent {
		if l.owners[ref] == "" { // else this transaction makes it, and the primary key checks its absence
			absent = append(absent, ref)
		}
	}
	if len(skus) > 0 || len(absent) > 0 {
		p.Execute(`select save_products($1, $2, $3, $4, $5, $6, $7, $8)`, skus, olds, news, waitings, sources, rows, absent, makes)
	}
}

// batchRows are batches as arrays.
type batchRows struct {
	refs, skus, etas, firstETAs, changes []string
	qtys, allocated, firstQtys, revision []int64
}

func (r *batchRows) add(b *product.Batch) {
	r.refs, r.skus = append(r.refs, b.Ref), append(r.skus, b.SKU)
	r.qtys, r.allocated = append(r.qtys, b.Qty), append(r.allocated, b.Allocated)
	r.etas, r.firstETAs = append(r.etas, string(b.ETA)), append(r.firstETAs, string(b.FirstETA))
	r.firstQtys, r.revision = append(r.firstQtys, b.FirstQty), append(r.revision, b.Revision)
	r.changes = append(r.changes, b.LastChange)
}

const (
	insertBatchesSQL = `
insert into batches (ref, sku, qty, allocated, eta, first_qty, first_eta, revision, last_change)
select ref, sku, qty, allocated, nullif(eta, '')::date, first_qty, nullif(first_eta, '')::date, nullif(revision, -1), nullif(last_change, '')
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::bigint[], $9::text[])
     v (ref, sku, qty, allocated, eta, first_qty, first_eta, revision, last_change)
order by ref`

	updateBatchesSQL = `select save_batches($1, $2, $3, $4, $5, $6)`
)

func queueBatches(p *store.Pipeline, catalog *product.Catalog) {
	var made, changed batchRows
	for _, product := range catalog.Products() {
		for _, batch := range product.NewBatches() {
			made.add(batch)
		}
		for _, batch := range product.UpdatedBatches() {
			changed.add(batch)
		}
	}
	if len(made.refs) > 0 {
		p.Execute(insertBatchesSQL, made.refs, made.skus, made.qtys, made.allocated, made.etas, made.firstQtys, made.firstETAs, made.revision, made.changes)
	}
	if len(changed.refs) > 0 {
		p.Execute(updateBatchesSQL, changed.refs, changed.qtys, changed.allocated, changed.etas, changed.revision, changed.changes)
	}
}
