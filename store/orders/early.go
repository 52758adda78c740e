package orders

import (
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/domain/order"
	"allocation/store"
)

const earlySQL = `select order_id, sku, line_id, kind, sequence, batch, reason, at, asked from early_facts where order_id = any($1) order by order_id, sequence`

func (l *loaded) readEarlyFacts(rows pgx.Rows) error {
	var f order.EarlyFact
	var at *int64
	_, err := pgx.ForEachRow(rows, []any{&f.OrderID, &f.SKU, &f.LineID, &f.Kind, &f.Sequence, &f.BatchRef, &f.Reason, &at, &f.Asked}, func() error {
		read := f
		if read.At = (time.Time{}); at != nil {
			read.At = time.UnixMilli(*at).UTC()
		}
		l.early[f.OrderID] = append(l.early[f.OrderID], read)
		return nil
	})
	return err
}

// changedEarly are the orders of which other facts are kept than before.
func (l *loaded) changedEarly() (changed []string) {
	for _, id := range slices.Sorted(maps.Keys(l.early)) {
		if !slices.Equal(l.early[id], l.readEarly[id]) {
			changed = append(changed, id)
		}
	}
	return changed
}

func (l *loaded) writeEarly(to *store.Pipeline, changed []string) {
	if len(changed) == 0 {
		return
	}
	var orders, skus, lines, kinds, batches, reasons []string
	var sequences []int64
	var ats []*int64
	var asked []bool
	for _, id := range changed {
		for _, f := range l.early[id] {
			orders, skus, lines, kinds = append(orders, id), append(skus, f.SKU), append(lines, f.LineID), append(kinds, string(f.Kind))
			sequences, batches, reasons, asked = append(sequences, f.Sequence), append(batches, f.BatchRef), append(reasons, f.Reason), append(asked, f.Asked)
			var at *int64
			if !f.At.IsZero() {
				ms := f.At.UnixMilli()
				at = &ms
			}
			ats = append(ats, at)
		}
	}
	to.Execute(`select save_early_facts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, changed, orders, skus, lines, kinds, sequences, batches, reasons, ats, asked)
}
