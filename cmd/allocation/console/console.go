// Package console has the console's pages about products, batches and orders.
package console

import (
	"context"
	"embed"
	"html/template"
	"io/fs"

	"allocation/cmd/allocation/event"
	"allocation/cmd/allocation/explain"
	"allocation/cmd/internal/console"
	"allocation/cmd/internal/operate/try"
	"allocation/store"
	"allocation/store/products"
)

//go:embed templates/*.html
var files embed.FS

// Product is what the service adds to the console.
func Product() console.Product {
	templates, _ := fs.Sub(files, "templates") // it is embedded
	return console.Product{
		Words: event.Words, KeyPage: "/product", WaitingPage: "/lines", Files: templates,
		Pages: func(c *console.Console) []console.Page {
			p := &pages{c, products.View{Store: c.Store}, make(chan struct{}, 1)}
			return []console.Page{
				{Path: "/products", Nav: "Products", File: "list.html", Read: p.products},
				{Path: "/batches", Nav: "Batches", File: "list.html", Read: p.batches},
				{Path: "/lines", Nav: "Lines", File: "list.html", Read: p.lines},
				{Path: "/orders", Nav: "Orders", File: "list.html", Read: p.orders},
				{Path: "/try", Nav: "Try", File: "try.html", Read: p.try},
				{Path: "/product", File: "product.html", Read: p.product},
				{Path: "/batch", File: "batch.html", Read: p.batch},
				{Path: "/order", File: "order.html", Read: p.order},
			}
		},
		Downloads: func(c *console.Console) []console.Download {
			p := &pages{Console: c, view: products.View{Store: c.Store}}
			return []console.Download{{Path: "/incident", Open: p.incident}}
		},
		Funcs: func(c *console.Console) template.FuncMap {
			return template.FuncMap{
				"lineText": explain.LineText, "now": explain.Now, "bars": barsOf, "where": where, "mostOf": mostOf,
				"loss": loss, "fieldNames": fieldNames, "resultClass": resultClass,
				"says": func(a *try.Answer) string { return a.Says(c.Program) },
			}
		},
		Tail: tail, Finds: "order, batch, SKU", Find: find,
	}
}

// tail are the flags of tail for some events. It knows subjects that are orders.
func tail(eventType, sku, subject string) (flags []string) {
	for _, flag := range [][2]string{{"--type=", eventType}, {"--sku=", sku}, {"--order=", subject}} {
		if flag[1] != "" {
			flags = append(flags, flag[0]+flag[1])
		}
	}
	return flags
}

// pages read what the pages show.
type pages struct {
	*console.Console
	view   products.View
	trying chan struct{} // a place for the one who tries commands
}

// maxShown is how many of a list a page about one thing shows.
const maxShown = 100

// find gives what has the name.
func find(ctx context.Context, db *store.Store, name string) (found []console.Found, err error) {
	kinds, err := explain.Kinds(ctx, db, name)
	for _, kind := range kinds {
		found = append(found, console.Found{Kind: kind, Path: "/" + kind})
	}
	return found, err
}
