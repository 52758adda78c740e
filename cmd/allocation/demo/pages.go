package demo

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"maps"
	"time"

	"allocation/cmd/internal/console"
)

//go:embed templates/*.html
var ownFiles embed.FS

// both are the demo's templates, and stock's.
type both struct{ own, stocks fs.FS }

func (b both) Open(name string) (fs.File, error) {
	file, err := b.own.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return b.stocks.Open(name)
	}
	return file, err
}

// product is stock's console, with what the demo has more.
func product(stocks console.Product, t *troubles) console.Product {
	p, own := stocks, must(fs.Sub(ownFiles, "templates"))
	p.Files = both{own, stocks.Files}
	p.Section = &console.Section{File: "section.html", Read: func(ctx context.Context, c *console.Console) (any, error) { return readSums(ctx, c.Store) }}
	p.Actions = []console.Action{{Path: "/trouble", Do: t.do}}
	p.Pages = func(c *console.Console) []console.Page {
		return append([]console.Page{
			{Path: "/trouble", Nav: "Trouble", File: "trouble.html", Read: t.page},
			{Path: "/sums", Nav: "Sums", File: "sums.html", Read: func(ctx context.Context, r *console.Request) (*console.Answer, error) { return sumsPage(ctx, c, r) }},
		}, stocks.Pages(c)...)
	}
	p.Funcs = func(c *console.Console) template.FuncMap {
		funcs := stocks.Funcs(c)
		maps.Copy(funcs, template.FuncMap{"stateOf": stateOf})
		return funcs
	}
	return p
}

func must(f fs.FS, _ error) fs.FS { return f } // it is embedded

// sumsPage is the page with the batches behind the sums of the front page.
func sumsPage(ctx context.Context, c *console.Console, r *console.Request) (*console.Answer, error) {
	if err := r.Err(); err != nil {
		return nil, err
	}
	s, err := readSums(ctx, c.Store)
	if err != nil {
		return nil, err
	}
	return &console.Answer{
		Title: "What adds up", Data: SumsPage{s, s.all}, Refresh: 5 * time.Second,
		Shell: []console.Shell{
			{Says: "prints the warehouse's ledger", Command: "warehouse ledger"},
			{Says: "prints stock's batches", Command: c.Command("list", "batches")},
		},
	}, nil
}

// SumsPage is the sums, with each batch of which something is left.
type SumsPage struct {
	*Sums
	All []*Batch `json:"all"`
}

// states are what orders' own words mean, and the class of their tags.
var states = map[string]string{
	"cart": "carts", "placed": "wait for goods", "ready": "ready to leave", "dispatched": "left", "cancelled": "cancelled", "expired": "carts that expired",
}

func stateOf(c Count) string {
	if says := states[c.State]; says != "" {
		return says
	}
	return c.State
}
