package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"allocation/domain"
	"allocation/worker"
)

// save writes a decided batch in one pipeline, which Postgres runs as one transaction: the commit
// is at its end, so no lock waits for an answer to cross the network. Every statement raises where
// it does not find what the decisions relied on.
func (s *Store) save(ctx context.Context, conn *pgx.Conn, d *decisions, l *ledger) error {
	patience := l.patience()
	ctx, cancel := context.WithTimeout(ctx, callTimeout+patience)
	defer cancel()
	p := newPipeline(ctx, conn, d.memory.buf)
	defer p.close()
	if patience > 0 {
		p.execute(setTimeoutSQL, milliseconds(statementTimeout+patience))
	}
	queueMove(p, d.batch, l)
	queueProducts(p, d.loaded, l)
	queueRemembered(p, d)
	queueBatches(p, d.loaded.catalog)
	queueLines(p, d.loaded.catalog, l)
	queueDeadLetters(p, d.batch, l)
	queueKept(p, l)
	queueOutbox(p, d.batch, l)
	if p.err != nil {
		return readError("save", p.err) // the end was not sent, so nothing is committed
	}
	d.memory.keep(p.buf)
	return s.noteDay(writeError("save", p.send()), l.today)
}

// rowTime is ample for one row of very many.
const rowTime = time.Millisecond

// patience is how much longer than usual the write may take: one command that moves a million lines
// takes longer than any other, and nothing makes it smaller.
func (l *ledger) patience() time.Duration {
	rows := 0
	for _, lane := range l.rows {
		rows += len(lane)
	}
	if rows <= mostEvents {
		return 0
	}
	return time.Duration(rows) * rowTime
}

func queueMove(p *pipeline, batch worker.Batch, l *ledger) {
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
	p.execute(`select move_positions($1, $2, $3, $4, $5, $6, $7, $8)`, sources, tokens, from, to, fromRows, toRows, published, epochs)
}

func queueProducts(p *pipeline, read *loaded, l *ledger) {
	var skus, absent []string
	var olds, news, waitings, rows []int64
	var sources []int32
	makes := false
	for _, product := range read.catalog.Products() {
		makes = makes || len(product.NewBatches()) > 0
		last := l.products[product.SKU]
		skus, olds, news = append(skus, product.SKU), append(olds, product.Loaded), append(news, product.Version)
		waitings, sources, rows = append(waitings, product.Waiting), append(sources, last.Source), append(rows, last.Row)
	}
	for ref := range read.absent {
		if read.owners[ref] == "" { // else this transaction makes it, and the primary key checks its absence
			absent = append(absent, ref)
		}
	}
	if len(skus) > 0 || len(absent) > 0 {
		p.execute(`select save_products($1, $2, $3, $4, $5, $6, $7, $8)`, skus, olds, news, waitings, sources, rows, absent, makes)
	}
}

// queueRemembered checks what the memory told, once the products are locked: of those that are not
// known to be held, none may be.
func queueRemembered(p *pipeline, d *decisions) {
	free := []string{}
	for _, product := range d.loaded.catalog.Products() {
		if _, isHeld := d.loaded.held.keys[product.SKU]; !isHeld {
			free = append(free, product.SKU)
		}
	}
	server := &d.memory.server
	p.execute(`select expect_remembered($1, $2, $3, $4)`, server.started, free, server.file, server.written)
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

	updateBatchesSQL = `select save_batches($1, $2, $3, $4, $5, $6)`
)

func queueBatches(p *pipeline, catalog *domain.Catalog) {
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
		p.execute(insertBatchesSQL, made.refs, made.skus, made.qtys, made.allocated, made.etas, made.firstQtys, made.firstETAs, made.revision, made.changes)
	}
	if len(changed.refs) > 0 {
		p.execute(updateBatchesSQL, changed.refs, changed.qtys, changed.allocated, changed.etas, changed.revision, changed.changes)
	}
}
