package bench

import "iter"

// stock makes the commands of what is there from the start: products with batches, and lines of
// earlier. The first are all products' batches, so each product's first lines have stock.
func (p plan) stock() iter.Seq[message] {
	return func(yield func(message) bool) {
		goOn, lines := true, 0
		put := func(c message) { goOn = goOn && yield(c) }
		order := func() string { lines++; return p.orders.id(-lines) }
		for i := 0; goOn && i < p.products; i++ {
			put(newBatch(mainBatch(skuOf(i)), skuOf(i), ample, ""))
		}
		for i := 0; goOn && i < p.pastLines(); i++ {
			sku, past := skuOf(i%p.products), order()
			put(newLine(past, sku, 1))
			put(endOf(dispatch, past, sku))
		}
		switch p.workload {
		case storm:
			put(newBatch(mainBatch(stormSKU), stormSKU, p.lines, ""))
			put(newBatch(stormSKU+"-later", stormSKU, p.lines, "2030-01-01")) // can hold them all, too
			for i := 0; goOn && i < p.lines; i++ {
				put(newLine(order(), stormSKU, 1))
			}
		case waiting:
			put(newBatch(queueSKU+"-none", queueSKU, 0, ""))
			for i := 0; goOn && i < p.waiting; i++ {
				put(newWaiting(order(), queueSKU, queuedQty(i)))
			}
		}
	}
}

// pastLines are so many that each product has as many as the others.
func (p plan) pastLines() int { return (p.history + p.products - 1) / p.products * p.products }
