package console

import (
	"cmp"
	"context"

	"allocation/cmd/allocation/list"
	"allocation/cmd/internal/console"
	"allocation/store/products"
)

func (p *pages) lines(ctx context.Context, r *console.Request) (*console.Answer, error) {
	f := &filters{Request: r}
	filter := products.LineFilter{SKUs: f.skus(), Batch: f.text("batch", "Batch", "b1")}
	state := f.state(filter.Batch)
	filter.Before = r.Ago("older-than")
	f.text("older-than", "Placed before", "2h, 7d or a time")
	columns := []column{{"Order", false}, {"Line", false}, {"Product", false}, {"Quantity", true}, {"Placed", false}}
	title, read := "Order lines that wait", p.view.WaitingLines
	switch state {
	case allocated:
		columns = append(columns, column{"Batch", false})
		title, read = "Order lines that have a batch", p.view.AllocatedLines
	case both:
		columns = append(columns, column{"Batch", false})
		title, read = "Order lines that wait, and that have a batch", p.view.UndispatchedLines
	}
	return kind[products.ListedLine]{
		title: title, path: "/lines", command: "lines", view: list.Lines,
		columns: columns,
		cells:   func(l *products.ListedLine) []cell { return p.lineCells(l)[:len(columns)] },
	}.answer(p, f, func(after string, limit int) (products.List[products.ListedLine], error) {
		return read(ctx, filter, after, limit)
	})
}

// The states of lines that are listed.
const (
	waiting   = "waiting"
	allocated = "allocated"
	both      = waiting + "," + allocated
)

// state is that of the lines: by itself waiting, and allocated where a batch is given.
func (f *filters) state(batch string) string {
	given := f.OneOf("state", "", waiting, allocated, both)
	usual, options := waiting, []option{{"", waiting}, {allocated, allocated}, {both, "waiting or allocated"}}
	if batch != "" {
		usual, options = allocated, []option{{"", allocated}}
		if given == waiting || given == both {
			f.Refuse("state", allocated+" where batch is given: a line that waits has no batch")
		}
	}
	state := cmp.Or(given, usual)
	if state == usual {
		given = ""
	}
	f.all = append(f.all, filter{Name: "state", Label: "State", Value: given, Options: options})
	return state
}

func (p *pages) lineCells(l *products.ListedLine) []cell {
	order := p.Link("/order", "id", l.OrderID, "sku", l.SKU)
	return []cell{
		name(l.OrderID, order), {Text: l.LineID}, name(l.SKU, p.Link("/product", "id", l.SKU)), number(l.Qty, order),
		placed(l.PlacedAt), name(l.BatchRef, p.Link("/batch", "id", l.BatchRef)),
	}
}
