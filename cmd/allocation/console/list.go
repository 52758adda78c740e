package console

import (
	"errors"
	"time"

	"allocation/cmd/allocation/list"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/console"
	"allocation/store/products"
)

// listed is a page of a list.
type listed struct {
	Rows   any              `json:"rows"`
	Totals map[string]int64 `json:"totals"`
	After  string           `json:"after,omitempty"` // that of the next page; empty: that was all

	Path     string   `json:"-"`
	Many     string   `json:"-"`
	Says     string   `json:"-"`
	Problems []string `json:"-"` // with the filters
	Filters  []filter `json:"-"`
	Columns  []column `json:"-"`
	Cells    [][]cell `json:"-"`
	First    string   `json:"-"` // the link of the first page; empty: this is it
	Next     string   `json:"-"` // the link of the next page; empty: there is none
}

// column is a column of a table.
type column struct {
	Name   string
	Number bool
}

// cell is a cell of a table. One without a text and a time is empty.
type cell struct {
	Text   string
	Link   string // to the rows behind it, or to the thing of that name; empty: there is none
	Number bool
	Tag    string // what needs a look; empty: nothing
	At     *time.Time
}

// kind is a list whose rows are of a type.
type kind[T any] struct {
	title, path, command string
	view                 list.View[T]
	columns              []column
	cells                func(*T) []cell
}

// answer reads a page of a list.
func (k kind[T]) answer(p *pages, f *filters, read func(after string, limit int) (products.List[T], error)) (*console.Answer, error) {
	limit, after := f.limit(), f.Text("after")
	if err := f.Err(); err != nil {
		return nil, k.mistaken(f, err)
	}
	page, err := read(after, limit)
	if errors.Is(err, products.ErrKey) {
		f.Refuse("after", "as the page before has it")
		return nil, k.mistaken(f, f.Err())
	}
	if err != nil {
		return nil, err
	}
	l := &listed{
		Rows: append([]T{}, page.Rows...), Totals: map[string]int64{}, After: page.Next,
		Path: k.path, Many: k.view.Many, Says: k.view.Says(page.Rows), Filters: f.all, Columns: k.columns,
	}
	for _, total := range k.view.Totals(page.Rows) {
		l.Totals[total.Name] = total.Sum
	}
	for i := range page.Rows {
		l.Cells = append(l.Cells, k.cells(&page.Rows[i]))
	}
	here := append([]string{"list", k.command}, f.flags()...)
	if after != "" {
		l.First = p.Link(k.path, f.parameters()...)
		here = append(here, "--after="+after)
	}
	if page.Next != "" {
		l.Next = p.Link(k.path, append(f.parameters(), "after", page.Next)...)
	}
	return &console.Answer{Title: k.title, Data: l, Shell: []console.Shell{{Says: "prints this", Command: p.Command(here...)}}}, nil
}

// mistaken shows the form again, with what is wrong.
func (k kind[T]) mistaken(f *filters, err error) error {
	return mistakenAs(err, func(says []string) *console.Answer {
		return &console.Answer{Title: k.title, Data: &listed{Path: k.path, Many: k.view.Many, Filters: f.all, Problems: says}}
	})
}

// mistakenAs is an error that a page shows itself, by what is wrong.
func mistakenAs(err error, form func(says []string) *console.Answer) error {
	var failure *console.Failure
	if !errors.As(err, &failure) {
		return err
	}
	return &console.Mistake{Failure: failure, Form: form(failure.Says)}
}

// name is a cell with the name of something, which has a page.
func name(text, link string) cell {
	if text == "" {
		return cell{}
	}
	return cell{Text: text, Link: link}
}

// number is a cell with a number, and a link to what it counts.
func number(n int64, link string) cell {
	if n == 0 {
		link = ""
	}
	return cell{Text: cli.Count(n), Link: link, Number: true}
}

func placed(at *time.Time) cell {
	if at == nil {
		return cell{Text: "not known"}
	}
	return cell{At: at}
}
