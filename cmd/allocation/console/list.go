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

	Path    string   `json:"-"`
	Many    string   `json:"-"`
	Says    string   `json:"-"`
	Filters []filter `json:"-"`
	Columns []column `json:"-"`
	Cells   [][]cell `json:"-"`
	First   string   `json:"-"` // the link of the first page; empty: this is it
	Next    string   `json:"-"` // the link of the next page; empty: there is none
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
	Tag    bool // what needs a look
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
		return nil, err
	}
	page, err := read(after, limit)
	if errors.Is(err, products.ErrKey) {
		f.Refuse("after", "as the page before has it")
		return nil, f.Err()
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

// name is a cell with the name of something, which has a page.
func name(text, link string) cell {
	if text == "" {
		return cell{}
	}
	return cell{Text: text, Link: link}
}

// number is a cell with a number, and a link to what it counts.
func number(n int64, link string) cell {
	return cell{Text: cli.Count(n), Link: link, Number: true}
}

func placed(at *time.Time) cell {
	if at == nil {
		return cell{Text: "not known"}
	}
	return cell{At: at}
}
