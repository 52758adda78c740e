package verify

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// What the events know and no row was seen of is looked up by its key: it may have come after the
// tables were read there, or be missing.

// lookup reads the rows of keys, some at a time, and reports those that have none.
func lookup[K comparable, R any](
	ctx context.Context, c *comparison, keys []K,
	read func(tx pgx.Tx, keys []K) ([]R, error), check func(*R) error, missing func(K) error,
) error {
	for some := range slices.Chunk(keys, firstChunk) {
		err := c.v.db.Snapshot(ctx, func(tx pgx.Tx) error {
			if err := c.follow.until(ctx, tx); err != nil {
				return err
			}
			rows, err := read(tx, some)
			if err != nil {
				return err
			}
			for i := range rows {
				if err := check(&rows[i]); err != nil {
					return err
				}
			}
			for _, k := range some {
				if err := missing(k); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keysOf are the keys of what was not seen.
func keysOf[K comparable, T any](all map[K]*T, seen func(*T) bool) []K {
	return slices.Collect(func(yield func(K) bool) {
		for k := range maps.Keys(all) {
			if !seen(all[k]) && !yield(k) {
				return
			}
		}
	})
}

func (c *comparison) unseenProducts(ctx context.Context) error {
	keys := keysOf(c.fold.products, func(p *product) bool { return p.seen })
	return lookup(ctx, c, keys, func(tx pgx.Tx, keys []string) ([]productVersion, error) {
		return collect[productVersion](ctx, tx, theseVersionsSQL, keys)
	}, c.product, func(sku string) error {
		p := c.fold.products[sku]
		wrong := p != nil && !p.seen && p.whole() && c.fold.holds(productPoint(sku))
		return c.v.reportIf(wrong, CheckEvents, sku, "products", sku, "a row", "none")
	})
}

func (c *comparison) unseenBatches(ctx context.Context) error {
	keys := keysOf(c.fold.batches, func(b *batch) bool { return b.seen })
	return lookup(ctx, c, keys, func(tx pgx.Tx, keys []string) ([]batchRow, error) {
		return collect[batchRow](ctx, tx, theseBatchesSQL, keys)
	}, c.batch, func(ref string) error {
		b := c.fold.batches[ref]
		if b == nil || b.seen || !c.fold.products[b.sku].whole() {
			return nil
		}
		return c.v.report(CheckEvents, b.sku, "batches", ref, b.words(), "no such batch")
	})
}

func (c *comparison) unseenLines(ctx context.Context) error {
	keys := keysOf(c.fold.lines, func(l *line) bool { return l.seen })
	return lookup(ctx, c, keys, func(tx pgx.Tx, keys []lineKey) ([]lineState, error) {
		var orders, skus, lines []string
		for _, k := range keys {
			orders, skus, lines = append(orders, k.orderID), append(skus, k.sku), append(lines, k.lineID)
		}
		return collect[lineState](ctx, tx, theseLinesSQL, orders, skus, lines)
	}, c.line, func(k lineKey) error {
		l := c.fold.lines[k]
		if l == nil || l.seen || !c.fold.products[k.sku].whole() {
			return nil
		}
		return c.v.report(CheckEvents, k.sku, "lines", lineName(k.orderID, k.lineID), l.words(), "no such line")
	})
}
