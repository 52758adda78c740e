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
			p := &pages{c, products.View{Store: c.Store}}
			return []console.Page{
				{Path: "/product", File: "product.html", Read: p.product},
				{Path: "/order", File: "order.html", Read: p.order},
			}
		},
		Funcs: func(*console.Console) template.FuncMap {
			return template.FuncMap{"lineText": explain.LineText, "now": explain.Now, "bars": barsOf}
		},
		Find: find,
	}
}

// pages read what the pages show.
type pages struct {
	*console.Console
	view products.View
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
