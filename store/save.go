package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"allocation/domain"
	"allocation/worker"
)

// save writes a decided batch in one pipeline, which Postgres runs as one transaction: the commit is in it, so no lock is held across the
// network. Every statement raises where it does not find what the decisions relied on.
func (s *Store) save(ctx context.Context, conn *pgx.Conn, d *decisions, l *ledger) error {
	defer s.unblock(ctx, conn)()
	return writeError("save", conn.SendBatch(ctx, savePipeline(d, l)).Close())
}

func savePipeline(d *decisions, l *ledger) *pgx.Batch {
	b, batch := &pgx.Batch{}, d.batch
	queueMove(b, batch, l)
	queueProducts(b, d.loaded, l)
	queueRemembered(b, d)
	queueBatches(b, d.loaded.catalog)
	queueLines(b, d.loaded.catalog, l)
	queueDeadLetters(b, batch, l)
	queueKept(b, l)
	queueOutbox(b, batch, l)
	return b
}

func queueMove(b *pgx.Batch, batch worker.Batch, l *ledger) {
	n := len(batch.Lanes)
	sources, tokens := make([]int32, n), make([]uuid.UUID, n)
	epochs := make([]int32, n)
	from, to, fromRows, toRows, published := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i, lane := range batch.Lanes {
		sources[i], tokens[i] = lane.Source.ID, uuid.UUID(lane.Token)
		from[i], to[i] = lane.From, lane.To
		fromRows[i], toRows[i] = lane.NextRow, l.next(batch.Lanes, i)
		published[i], epochs[i] = lane.Published, lane.Epoch
	}
	b.Queue(`select move_positions($1, $2, $3, $4, $5, $6, $7, $8)`, sources, tokens, from, to, fromRows, toRows, published, epochs)
}

func queueProducts(b *pgx.Batch, read *loaded, l *ledger) {
	var skus, absent []string
	var olds, news, waitings, rows []int64
	var sources []int32
	makes := false
	for _, p := range read.catalog.Products() {
		makes = makes || len(p.NewBatches()) > 0
		last := l.products[p.SKU]
		skus, olds, news = append(skus, p.SKU), append(olds, p.Loaded), append(news, p.Version)
		waitings, sources, rows = append(waitings, p.Waiting), append(sources, last.Source), append(rows, last.Row)
	}
	for ref := range read.absent {
		if read.owners[ref] == "" { // else this transaction makes it, and the primary key checks its absence
			absent = append(absent, ref)
		}
	}
	if len(skus) > 0 || len(absent) > 0 {
		b.Queue(`select save_products($1, $2, $3, $4, $5, $6, $7, $8)`, skus, olds, news, waitings, sources, rows, absent, makes)
	}
}

// queueRemembered checks what the memory told, once the products are locked. Where the batch did not ask which products are held, none that it
// relied on may be.
func queueRemembered(b *pgx.Batch, d *decisions) {
	if d.memory.server.IsZero() {
		return // nothing was read
	}
	skus, refs := []string{}, []string{}
	if !d.asks {
		for _, p := range d.loaded.catalog.Products() {
			skus = append(skus, p.SKU)
		}
		for _, c := range d.commands {
			if c == nil {
				continue
			}
			if _, ref := names(c); ref != "" {
				refs = append(refs, ref)
			}
		}
	}
	b.Queue(`select expect_remembered($1, $2, $3)`, d.memory.server, skus, refs).QueryRow(func(row pgx.Row) error {
		return row.Scan(&d.memory.holds)
	})
}

// batchRows are batches as arrays.
type batchRows struct {
	refs, skus, etas, firstETAs, changes []string
	qtys, allocated, firstQtys, revision []int64
}

func (r *batchRows) add(b *domain.Batch) {
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

	updateBatchesSQL = `
with updated as (
    update batches b
    set qty = v.qty, allocated = v.allocated, eta = nullif(v.eta, '')::date, revision = nullif(v.revision, -1), last_change = nullif(v.last_change, '')
    from unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[]) v (ref, qty, allocated, eta, revision, last_change)
    where b.ref = v.ref returning 1)
select expect_count((select count(*) from updated), $7, 'batches updated')`
)

func queueBatches(b *pgx.Batch, catalog *domain.Catalog) {
	var made, changed batchRows
	for _, p := range catalog.Products() {
		for _, batch := range p.NewBatches() {
			made.add(batch)
		}
		for _, batch := range p.UpdatedBatches() {
			changed.add(batch)
		}
	}
	if len(made.refs) > 0 {
		b.Queue(insertBatchesSQL, made.refs, made.skus, made.qtys, made.allocated, made.etas, made.firstQtys, made.firstETAs, made.revision, made.changes)
	}
	if n := len(changed.refs); n > 0 {
		b.Queue(updateBatchesSQL, changed.refs, changed.qtys, changed.allocated, changed.etas, changed.revision, changed.changes, n)
	}
}

// lineRows are order lines as arrays.
type lineRows struct {
	orderIDs, skus, lineIDs, states, batchRefs, days []string
	qtys, placed, rows                               []int64
	sources                                          []int32
}

func (r *lineRows) add(line *domain.Line, last history) {
	r.orderIDs, r.skus, r.lineIDs = append(r.orderIDs, line.ID.OrderID), append(r.skus, line.ID.SKU), append(r.lineIDs, line.ID.LineID)
	r.qtys, r.placed = append(r.qtys, line.Qty), append(r.placed, line.Placed)
	r.states, r.batchRefs = append(r.states, line.State.String()), append(r.batchRefs, line.BatchRef)
	r.sources, r.rows, r.days = append(r.sources, last.source), append(r.rows, last.row), append(r.days, last.day)
}

// todaySQL is the day of rows that this transaction writes: the outbox' default.
const todaySQL = `(now() at time zone 'utc')::date`

const (
	insertLinesSQL = `
insert into lines (orderid, sku, lineid, qty, placed, state, batchref, last_source, last_row, last_day)
select orderid, sku, lineid, qty, placed, state::line_state, nullif(batchref, ''), last_source, last_row, coalesce(nullif(last_day, '')::date, ` + todaySQL + `)
from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::int[], $9::bigint[], $10::text[])
     v (orderid, sku, lineid, qty, placed, state, batchref, last_source, last_row, last_day)`

	updateLinesSQL = `
with updated as (
    update lines l
    set state = v.state::line_state, batchref = nullif(v.batchref, ''), last_source = v.last_source, last_row = v.last_row,
        last_day = coalesce(nullif(v.last_day, '')::date, ` + todaySQL + `)
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::text[])
         v (orderid, sku, lineid, state, batchref, last_source, last_row, last_day)
    where l.orderid = v.orderid and l.sku = v.sku and l.lineid = v.lineid returning 1)
select expect_count((select count(*) from updated), $9, 'lines updated')`
)

func queueLines(b *pgx.Batch, catalog *domain.Catalog, l *ledger) {
	var made, changed lineRows
	for _, p := range catalog.Products() {
		for _, line := range p.NewLines() {
			made.add(line, l.lines[line.ID])
		}
		for _, line := range p.UpdatedLines() {
			changed.add(line, l.lines[line.ID])
		}
	}
	if len(made.orderIDs) > 0 {
		b.Queue(insertLinesSQL, made.orderIDs, made.skus, made.lineIDs, made.qtys, made.placed, made.states, made.batchRefs, made.sources, made.rows, made.days)
	}
	if n := len(changed.orderIDs); n > 0 {
		b.Queue(updateLinesSQL, changed.orderIDs, changed.skus, changed.lineIDs, changed.states, changed.batchRefs, changed.sources, changed.rows, changed.days, n)
	}
}
