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
	rows                                 []int64
	sources, days                        []int32
}

func (r *batchRows) add(b *product.Batch, last store.Ref) {
	r.sources, r.rows, r.days = append(r.sources, last.Source), append(r.rows, last.Row), append(r.days, last.Day())
	r.refs, r.skus = append(r.refs, b.Ref), append(r.skus, b.SKU)
	r.qtys, r.allocated = append(r.qtys, b.Qty), append(r.allocated, b.Allocated)
	r.etas, r.firstETAs = append(r.etas, string(b.ETA)), append(r.firstETAs, string(b.FirstETA))
	r.firstQtys, r.revision = append(r.firstQtys, b.FirstQty), append(r.revision, b.Revision)
	r.changes = append(r.changes, b.LastChange)
}

const (
	insertBatchesSQL = `
insert into batches (ref, sku, qty, allocated, eta, first_qty, first_eta, revision, last_change, last_source, last_row, last_day)
select ref, sku, qty, allocated, nullif(eta, '')::date, first_qty, nullif(first_eta, '')::date, nullif(revision, -1), nullif(last_change, ''),
    source, row_no, date '2000-01-01' + day
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::bigint[], $9::text[],
    $10::int[], $11::bigint[], $12::int[])
     v (ref, sku, qty, allocated, eta, first_qty, first_eta, revision, last_change, source, row_no, day)
order by ref`

	updateBatchesSQL = `select save_batches($1, $2, $3, $4, $5, $6, $7, $8, $9)`
)

func (l *loaded) queueBatches(p *store.Pipeline) {
	var made, changed batchRows
	for _, product := range l.catalog.Products() {
		for _, batch := range product.NewBatches() {
			made.add(batch, l.batches[batch.Ref])
		}
		for _, batch := range product.UpdatedBatches() {
			changed.add(batch, l.batches[batch.Ref])
		}
	}
	if len(made.refs) > 0 {
		p.Execute(insertBatchesSQL, made.refs, made.skus, made.qtys, made.allocated, made.etas, made.firstQtys, made.firstETAs, made.revision, made.changes,
			made.sources, made.rows, made.days)
	}
	if len(changed.refs) > 0 {
		p.Execute(updateBatchesSQL, changed.refs, changed.qtys, changed.allocated, changed.etas, changed.revision, changed.changes, changed.sources, changed.rows, changed.days)
	}
}
