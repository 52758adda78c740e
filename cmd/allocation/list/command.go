// Package list prints products, batches, order lines and orders by filters, a page at a time.
package list

import (
	"context"
	"errors"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store/products"
)

// Command is "list" on the command line.
type Command struct {
	Products productsCommand `cmd:"" help:"Print products with their stock and what waits."`
	Batches  batchesCommand  `cmd:"" help:"Print batches that are in use."`
	Lines    linesCommand    `cmd:"" help:"Print order lines that wait, the oldest first, or that have a batch."`
	Orders   ordersCommand   `cmd:"" help:"Print orders with their lines counted by state."`
}

// page are the flags of all lists.
type page struct {
	config.Database
	Limit string `default:"100" placeholder:"N" help:"Print so many at most; up to 1000."`
	After string `placeholder:"KEY" help:"Go on after this one: the page before ends with the command."`
	JSON  bool   `help:"Print JSON lines, and as the last one the page's totals and where to go on."`
}

// aboutPages is the end of the help of all lists.
const aboutPages = `

A page is read by an index, from where the one before ended: what changes meanwhile makes no other row come twice or be left out. Where a filter
leaves out much, a page looks at so many rows only, ends early, and says where to go on. The last line of --json is {"page": …}: it has "after",
the value of --after for the next page, unless the list has ended. Totals are those of the page.`

// skus are the filters by product.
type skus struct {
	SKU       string `name:"sku" xor:"sku" placeholder:"SKU" help:"Only of this product."`
	SKUPrefix string `name:"sku-prefix" xor:"sku" placeholder:"TEXT" help:"Only of products whose SKU begins so. No character is a wildcard."`
}

func (s skus) filter() products.SKUs { return products.SKUs{SKU: s.SKU, Prefix: s.SKUPrefix} }

// View is a list for people.
type View[T any] struct {
	One, Many string // what rows are
	Totals    func([]T) Totals

	columns []string
	row     func(*T) []string
}

// Totals are sums over the rows of a page, in the order in which people see them.
type Totals []Total

// Total is one of them.
type Total struct {
	Name string // in JSON
	Sum  int64
	Says string
}

// Says counts the rows of a page, and has their totals.
func (v View[T]) Says(rows []T) string {
	text := "no " + v.Many
	switch n := len(rows); n {
	case 0:
		return text
	case 1:
		text = "1 " + v.One
	default:
		text = cli.Count(int64(n)) + " " + v.Many
	}
	for _, t := range v.Totals(rows) {
		text += ", " + t.Says
	}
	return text
}

// show connects, reads a page, and prints it.
func show[T any](
	ctx context.Context, p *cli.Program, f page, problems *config.Problems, v View[T],
	read func(products.View, string, int) (products.List[T], error),
) error {
	limit := problems.Integer("limit", f.Limit, 1, products.MaxPage)
	if err := problems.Err(); err != nil {
		return err
	}
	db, err := p.OpenStore(ctx, f.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := read(products.View{Store: db}, f.After, limit)
	if errors.Is(err, products.ErrKey) {
		return cli.Misuse("--after is %q; it must be as the page before has it", f.After)
	}
	if err != nil {
		return err
	}
	if f.JSON {
		return printJSON(p, v, list)
	}
	return printText(p, v, list)
}

func printJSON[T any](p *cli.Program, v View[T], list products.List[T]) error {
	for i := range list.Rows {
		if err := p.PrintJSON(&list.Rows[i]); err != nil {
			return err
		}
	}
	end := map[string]any{"rows": len(list.Rows)}
	for _, t := range v.Totals(list.Rows) {
		end[t.Name] = t.Sum
	}
	if list.Next != "" {
		end["after"] = list.Next
	}
	return p.PrintJSON(map[string]any{"page": end})
}

func printText[T any](p *cli.Program, v View[T], list products.List[T]) error {
	if len(list.Rows) > 0 {
		if err := cli.PrintTable(p, v.columns, list.Rows, 0, v.row); err != nil {
			return err
		}
		fmt.Fprintln(p.Out)
	}
	end := v.Says(list.Rows)
	if list.Next != "" {
		end += fmt.Sprintf(", and more to look at:\n\n    %s", p.Again("--after", list.Next))
	}
	_, err := fmt.Fprintln(p.Out, end)
	return err
}

// sum adds up a field of rows.
func sum[T any](rows []T, of func(*T) int64) (sum int64) {
	for i := range rows {
		sum += of(&rows[i])
	}
	return sum
}
