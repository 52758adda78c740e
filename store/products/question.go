package products

import (
	"math"

	"allocation/domain/product"
)

// question is a product.Need as arrays for one round trip.
type question struct {
	skus []string
	refs []string

	lines                    []product.LineID
	orderIDs, lineSKUs, lids []string

	open  []string // the products whose open batches are asked for
	most  []int32  // how many
	least []int64  // with at least so much available

	tails    []tail // the batches whose last lines are asked for
	maxLines int32  // of all tails together
	whole    bool   // the answer has all lines of the tails

	waiting []string // the products whose waiting lines are asked for
	reach   []int64
	perQty  []int32
}

func newQuestion(need *product.Need) *question {
	q := &question{}
	for sku, n := range need.Products {
		q.skus = append(q.skus, sku)
		if n.Open > 0 {
			q.open, q.most, q.least = append(q.open, sku), append(q.most, clamp(n.Open)), append(q.least, max(n.Least, 1))
		}
		if n.Reach > 0 {
			q.waiting, q.reach, q.perQty = append(q.waiting, sku), append(q.reach, n.Reach), append(q.perQty, clamp(n.PerQty))
		}
	}
	for ref, n := range need.Batches {
		q.refs = append(q.refs, ref)
		if n.ShrinkTo != product.NoShrink {
			q.tails = append(q.tails, tail{ref, n.ShrinkTo})
		}
	}
	for id := range need.Lines {
		q.lines = append(q.lines, id)
		q.orderIDs, q.lineSKUs, q.lids = append(q.orderIDs, id.OrderID), append(q.lineSKUs, id.SKU), append(q.lids, id.LineID)
	}
	return q
}

func (q *question) empty() bool {
	return len(q.skus) == 0 && len(q.refs) == 0 && len(q.lines) == 0
}

func clamp(n int) int32 { return int32(min(n, math.MaxInt32)) } //nolint:gosec // bounded here

// tail is a batch and what it shrinks to.
type tail struct {
	ref      string
	shrinkTo int64
}
