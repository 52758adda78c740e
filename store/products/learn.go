package products

import (
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"allocation/domain/product"
	"allocation/store"
	"allocation/worker"
)

func (l *loaded) learnProducts(rows pgx.Rows, ask *question) error {
	found := map[string]int64{}
	var sku string
	var version, waiting int64
	var last store.Ref
	_, err := pgx.ForEachRow(rows, []any{&sku, &version, &waiting, &last.Source, &last.Row}, func() error {
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
		switch read, known := l.versions[sku]; {
		case found[sku] != 0:
		case read != 0:
			return fmt.Errorf("%w: product %q vanished while it was read", worker.ErrConflict, sku)
		case !known:
			l.versions[sku] = 0
			l.catalog.LearnProduct(sku, 0, 0)
		}
	}
	return nil
}

func (l *loaded) learnBatches(rows pgx.Rows, ask *question) error {
	if err := l.eachBatch(rows, nil); err != nil {
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

func (l *loaded) eachBatch(rows pgx.Rows, also func(*product.Batch)) error {
	var b batchRow
	_, err := pgx.ForEachRow(rows, b.columns(), func() error {
		if also != nil {
			also(&b.Batch)
		}
		return l.learnBatch(&b)
	})
	return err
}

// batchRow is a batch, and its last event.
type batchRow struct {
	product.Batch
	last store.Ref
}

// columns is where to scan batchFields.
func (b *batchRow) columns() []any {
	source, row, day := b.last.Scan()
	return []any{&b.Ref, &b.SKU, &b.Qty, &b.Allocated, &b.ETA, &b.FirstQty, &b.FirstETA, &b.Revision, &b.LastChange, source, row, day}
}

func (l *loaded) learnBatch(b *batchRow) error {
	_, product := l.versions[b.SKU]
	_, gone := l.absent[b.Ref]
	if !product || gone {
		return fmt.Errorf("%w: batch %q appeared while it was read", worker.ErrConflict, b.Ref)
	}
	l.owners[b.Ref] = b.SKU
	if _, ok := l.batches[b.Ref]; !ok {
		l.batches[b.Ref] = b.last
	}
	l.catalog.LearnBatch(b.Batch)
	return nil
}

func (l *loaded) learnLines(rows pgx.Rows, ask *question) error {
	found := make(map[product.LineID]struct{}, len(ask.lines))
	var b batchRow
	if err := l.eachLine(rows, b.columns(), func(line *product.Line) error {
		found[line.ID] = struct{}{}
		if b.Ref == "" {
			return nil
		}
		return l.learnBatch(&b)
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

// eachLine learns a result of order lines; before holds where to scan columns that stand before a
// line's.
func (l *loaded) eachLine(rows pgx.Rows, before []any, also func(*product.Line) error) error {
	var line product.Line
	var state string
	var last store.Ref
	source, row, day := last.Scan()
	columns := append(slices.Clip(before), &line.ID.OrderID, &line.ID.SKU, &line.ID.LineID, &line.Qty, &line.Placed, &state, &line.BatchRef, source, row, day)
	var pacer store.Pacer
	_, err := pgx.ForEachRow(rows, columns, func() error {
		pacer.Row()
		line.State = lineStates[state]
		if _, ok := l.lines[line.ID]; !ok {
			l.lines[line.ID] = last
		}
		if !l.catalog.LearnLine(line) {
			return fmt.Errorf("%w: %+v", errNotNew, line.ID)
		}
		return also(&line)
	})
	return err
}

func (l *loaded) learnOpen(rows pgx.Rows, ask *question) error {
	found, last := map[string]int32{}, map[string]product.Batch{}
	if err := l.eachBatch(rows, func(b *product.Batch) {
		found[b.SKU]++
		last[b.SKU] = *b
	}); err != nil {
		return err
	}
	for i, sku := range ask.open {
		if b := last[sku]; found[sku] == ask.most[i] {
			l.catalog.LearnOpen(sku, ask.least[i], &b)
			continue
		}
		l.catalog.LearnOpen(sku, ask.least[i], nil)
	}
	return nil
}

// learnTails learns the lines that batches must release, of the first batches and their last lines
// no more than were asked for at once.
func (l *loaded) learnTails(rows pgx.Rows, ask *question) error {
	from := map[string]int64{}
	var ref string
	var lines int32
	if err := l.eachLine(rows, []any{&ref}, func(line *product.Line) error {
		from[ref] = line.Placed
		lines++
		return nil
	}); err != nil {
		return err
	}
	for ref, placed := range from { // last placed first, so the last row of each is its frontier
		l.catalog.LearnTail(ref, placed)
	}
	ask.whole = lines < ask.maxLines
	return nil
}

func (l *loaded) learnWaiting(rows pgx.Rows, ask *question) error {
	type class struct {
		sku string
		qty int64
	}
	count, last := map[class]int32{}, map[class]int64{}
	if err := l.eachLine(rows, nil, func(line *product.Line) error {
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

var lineStates = map[string]product.LineState{
	"waiting":    product.Waiting,
	"allocated":  product.Allocated,
	"cancelled":  product.Cancelled,
	"dispatched": product.Dispatched,
}
