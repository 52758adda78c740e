package verify

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// What the events know and no row was seen of is looked up by its key: it may have come after the
// tables were read there, or be missing.

// lookup reads the rows of keys, some at a time, and has missing look at each key afterwards.
func lookup[K, R any](ctx context.Context, c *comparison, keys []K, sql string, args func([]K) []any, check func(*R), missing func(K)) error {
	for some := range slices.Chunk(keys, firstChunk) {
		err := c.snapshot(ctx, func(tx pgx.Tx) error {
			rows, err := collect[R](ctx, tx, sql, args(some)...)
			if err != nil {
				return err
			}
			for i := range rows {
				check(&rows[i])
			}
			for _, k := range some {
				missing(k)
			}
			return c.v.failed
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keysOf are the keys of what was not seen.
func keysOf[K comparable, T any](all map[K]*T, seen func(*T) bool) (keys []K) {
	for k, of := range all {
		if !seen(of) {
			keys = append(keys, k)
		}
	}
	return keys
}

func (c *comparison) unseenProducts(ctx context.Context) error {
	keys := keysOf(c.fold.products, func(p *productFold) bool { return p.seen })
	return lookup(ctx, c, keys, theseVersionsSQL, func(skus []string) []any { return []any{skus} }, c.product, func(sku string) {
		p := c.fold.products[sku]
		wrong := p != nil && !p.seen && p.whole() && c.fold.holds(productPoint(sku))
		c.v.reportIf(wrong, CheckEvents, sku, "products", sku, "a row", "none")
	})
}

func (c *comparison) unseenBatches(ctx context.Context) error {
	keys := keysOf(c.fold.batches, func(b *batch) bool { return b.seen })
	return lookup(ctx, c, keys, theseBatchesSQL, func(refs []string) []any { return []any{refs} }, c.batch, func(ref string) {
		if b := c.fold.batches[ref]; b != nil && !b.seen && c.fold.products[b.sku].whole() {
			c.v.report(CheckEvents, b.sku, "batches", ref, b.words(), "no such batch")
		}
	})
}

func (c *comparison) unseenLines(ctx context.Context) error {
	keys := keysOf(c.fold.lines, func(l *line) bool { return l.seen })
	return lookup(ctx, c, keys, theseLinesSQL, func(keys []lineKey) []any {
		var orders, skus, lines []string
		for _, k := range keys {
			orders, skus, lines = append(orders, k.orderID), append(skus, k.sku), append(lines, k.lineID)
		}
		return []any{orders, skus, lines}
	}, c.line, func(k lineKey) {
		if l := c.fold.lines[k]; l != nil && !l.seen && c.fold.products[k.sku].whole() {
			c.v.report(CheckEvents, k.sku, "lines", lineName(k.orderID, k.lineID), l.words(), "no such line")
		}
	})
}
