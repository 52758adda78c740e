package products

import (
	"math"

	"github.com/jackc/pgx/v5"

	"allocation/domain"
)

// question is a domain.Need as arrays for one round trip.
type question struct {
	skus []string
	refs []string

	lines                    []domain.LineID
	orderIDs, lineSKUs, lids []string

	open  []string // the products whose open batches are asked for
	most  []int32  // how many
	least []int64  // with at least so much available

	tails    []string // the batches whose last lines are asked for
	shrinkTo []int64
	maxLines int32 // of all tails together

	waiting []string // the products whose waiting lines are asked for
	reach   []int64
	perQty  []int32
}

func newQuestion(need *domain.Need) *question {
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
		if n.ShrinkTo != domain.NoShrink {
			q.tails, q.shrinkTo = append(q.tails, ref), append(q.shrinkTo, n.ShrinkTo)
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

// byRank orders tails by the first command that names their batch.
type byRank struct {
	*question
	rank map[string]int
}

func (r *byRank) Len() int           { return len(r.tails) }
func (r *byRank) Less(i, j int) bool { return r.rank[r.tails[i]] < r.rank[r.tails[j]] }
func (r *byRank) Swap(i, j int) {
	r.tails[i], r.tails[j] = r.tails[j], r.tails[i]
	r.shrinkTo[i], r.shrinkTo[j] = r.shrinkTo[j], r.shrinkTo[i]
}

// pipeline asks everything in the order in which loaded.learn reads the answers.
func (q *question) pipeline() *pgx.Batch {
	b := &pgx.Batch{}
	b.Queue(productsSQL, q.skus, q.refs)
	if len(q.refs) > 0 {
		b.Queue(batchesSQL, q.refs)
	}
	if len(q.lines) > 0 {
		b.Queue(linesSQL, q.orderIDs, q.lineSKUs, q.lids)
	}
	if len(q.open) > 0 {
		b.Queue(openSQL, q.open, q.most, q.least)
	}
	if len(q.tails) > 0 {
		b.Queue(tailsSQL, q.tails, q.shrinkTo, q.maxLines)
	}
	if len(q.waiting) > 0 {
		b.Queue(waitingSQL, q.waiting, q.reach, q.perQty)
	}
	return b
}
