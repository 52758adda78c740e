package products

import (
	"allocation/domain/product"
	"allocation/store"
)

const (
	lineColumns   = 10
	copyLinesSQL  = `copy lines (orderid, sku, lineid, qty, placed, state, batchref, last_source, last_row, last_day) from stdin (format binary)`
	updateLineSQL = `
with updated as (
    update lines l
    set state = v.state::line_state, batchref = nullif(v.batchref, ''), last_source = v.last_source, last_row = v.last_row,
        last_day = date '2000-01-01' + v.last_day
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::int[])
         v (orderid, sku, lineid, state, batchref, last_source, last_row, last_day)
    where l.orderid = v.orderid and l.sku = v.sku and l.lineid = v.lineid returning 1)
select expect_count((select count(*) from updated), $9, 'lines updated')`
)

func (l *loaded) queueLines(p *store.Pipeline) {
	made, changed := 0, 0
	products := l.catalog.Products()
	for _, product := range products {
		made += len(product.NewLines())
		changed += len(product.UpdatedLines())
	}
	if made > 0 {
		p.Copy(copyLinesSQL, lineColumns, func(rows *store.CopyRows) {
			for _, product := range products {
				for _, line := range product.NewLines() {
					copyLine(rows, line, l.lines[line.ID])
				}
			}
		})
	}
	if changed > 0 {
		rows := l.lineRows(products, changed)
		p.Execute(updateLineSQL, rows.orderIDs, rows.skus, rows.lineIDs, rows.states, rows.batchRefs, rows.sources, rows.rows, rows.days, changed)
	}
}

func copyLine(rows *store.CopyRows, line *product.Line, last store.Ref) {
	rows.Row()
	rows.Text(line.ID.OrderID)
	rows.Text(line.ID.SKU)
	rows.Text(line.ID.LineID)
	rows.Int64(line.Qty)
	rows.Int64(line.Placed)
	rows.Text(line.State.String())
	rows.Optional(line.BatchRef)
	rows.Ref(last)
}

// lineRows are changes of order lines as arrays.
type lineRows struct {
	orderIDs, skus, lineIDs, states, batchRefs []string
	rows                                       []int64
	sources, days                              []int32
}

// lineRows are the lines of products that were loaded and changed, n together.
func (l *loaded) lineRows(products []*product.Product, n int) *lineRows {
	texts := func() []string { return make([]string, 0, n) }
	numbers := func() []int32 { return make([]int32, 0, n) }
	r := &lineRows{
		orderIDs: texts(), skus: texts(), lineIDs: texts(), states: texts(), batchRefs: texts(),
		rows: make([]int64, 0, n), sources: numbers(), days: numbers(),
	}
	var pacer store.Pacer
	for _, product := range products {
		for _, line := range product.UpdatedLines() {
			pacer.Row()
			r.add(line, l.lines[line.ID])
		}
	}
	return r
}

func (r *lineRows) add(line *product.Line, last store.Ref) {
	r.orderIDs, r.skus, r.lineIDs = append(r.orderIDs, line.ID.OrderID), append(r.skus, line.ID.SKU), append(r.lineIDs, line.ID.LineID)
	r.states, r.batchRefs = append(r.states, line.State.String()), append(r.batchRefs, line.BatchRef)
	r.sources, r.rows, r.days = append(r.sources, last.Source), append(r.rows, last.Row), append(r.days, last.Day())
}
