package console

import (
	"context"

	"allocation/cmd/allocation/list"
	"allocation/cmd/internal/console"
	"allocation/store/products"
)

func (p *pages) batches(ctx context.Context, r *console.Request) (*console.Answer, error) {
	f := &filters{Request: r}
	filter := products.BatchFilter{SKUs: f.skus(), DueBefore: f.date("due-before", "Due before")}
	filter.Arrived = f.tick("arrived", "In the warehouse")
	filter.Free = f.tick("free", "With free stock")
	if filter.DueBefore != "" && filter.Arrived {
		r.Refuse("due-before", "left out where arrived is given: what is in the warehouse is not due")
	}
	return kind[products.ListedBatch]{
		title: "Batches in use", path: "/batches", command: "batches", view: list.Batches,
		columns: []column{{"Batch", false}, {"Product", false}, {"Where", false}, {"Quantity", true}, {"Allocated", true}, {"Available", true}},
		cells:   p.batchCells,
	}.answer(p, f, func(after string, limit int) (products.List[products.ListedBatch], error) {
		return p.view.Batches(ctx, filter, after, limit)
	})
}

func (p *pages) batchCells(b *products.ListedBatch) []cell {
	page := p.Link("/batch", "id", b.Ref)
	return []cell{
		name(b.Ref, page), name(b.SKU, p.Link("/product", "id", b.SKU)), {Text: where(b.ETA)},
		number(b.Qty, page), number(b.Allocated, p.Link("/lines", "batch", b.Ref)), number(b.Available, page),
	}
}

func where(eta string) string {
	if eta == "" {
		return "in the warehouse"
	}
	return "due " + eta
}
