package console

import (
	"context"

	"allocation/cmd/allocation/list"
	"allocation/cmd/internal/console"
	"allocation/store/products"
)

// farAway is a date after that of any batch.
const farAway = "9999-12-31"

func (p *pages) products(ctx context.Context, r *console.Request) (*console.Answer, error) {
	f := &filters{Request: r}
	filter := products.ProductFilter{SKUs: products.SKUs{Prefix: f.text("sku-prefix", "SKU begins with", "CHA")}}
	filter.Waiting = f.tick("waiting", "With lines that wait")
	filter.Free = f.tick("free", "With free stock")
	return kind[products.ListedProduct]{
		title: "Products", path: "/products", command: "products", view: list.Products,
		columns: []column{{"Product", false}, {"Waiting lines", true}, {"Their quantity", true}, {"Free now", true}, {"Free later", true}, {"Batches", true}, {"Version", true}},
		cells:   p.productCells,
	}.answer(p, f, func(after string, limit int) (products.List[products.ListedProduct], error) {
		return p.view.Products(ctx, filter, after, limit)
	})
}

func (p *pages) productCells(l *products.ListedProduct) []cell {
	page, waiting := p.Link("/product", "id", l.SKU), p.Link("/lines", "sku", l.SKU)
	sku, qty := name(l.SKU, page), cell{Number: true}
	if l.Held {
		sku.Tag = "held"
	}
	if l.WaitingQty != nil {
		qty = number(*l.WaitingQty, waiting)
	}
	return []cell{
		sku, number(l.Waiting, waiting), qty,
		number(l.FreeNow, p.Link("/batches", "sku", l.SKU, "free", "1", "arrived", "1")),
		number(l.FreeLater, p.Link("/batches", "sku", l.SKU, "free", "1", "due-before", farAway)),
		number(l.Batches, p.Link("/batches", "sku", l.SKU)), number(l.Version, page),
	}
}
