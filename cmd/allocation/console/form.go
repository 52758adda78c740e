package console

import (
	"strconv"
	"time"

	"allocation/cmd/internal/console"
	"allocation/store/products"
)

// filter is a filter of a list: a field of its form, a parameter of its page, and a flag of its
// command, all of the same name.
type filter struct {
	Name  string
	Label string
	Value string // empty: it leaves nothing out
	Kind  string // tick, number, date or text, where there are no options
	Hint  string // what a value looks like

	Options []option // the values that it may have
}

type option struct{ Value, Text string }

// filters reads the filters of a list as they are given.
type filters struct {
	*console.Request
	all []filter
}

func (f *filters) text(name, label, hint string) string {
	value := f.Text(name)
	f.all = append(f.all, filter{Name: name, Label: label, Value: value, Kind: "text", Hint: hint})
	return value
}

func (f *filters) date(name, label string) string {
	value := f.Text(name)
	if _, err := time.Parse(time.DateOnly, value); value != "" && err != nil {
		f.Refuse(name, "a date such as 2030-01-31")
	}
	f.all = append(f.all, filter{Name: name, Label: label, Value: value, Kind: "date"})
	return value
}

func (f *filters) tick(name, label string) bool {
	on := f.Ticked(name)
	value := ""
	if on {
		value = "1"
	}
	f.all = append(f.all, filter{Name: name, Label: label, Value: value, Kind: "tick"})
	return on
}

// skus are the filters by product.
func (f *filters) skus() (s products.SKUs) {
	s.SKU = f.text("sku", "Product", "CHAIR")
	s.Prefix = f.text("sku-prefix", "SKU begins with", "CHA")
	if s.SKU != "" && s.Prefix != "" {
		f.Refuse("sku-prefix", "left out where sku is given")
	}
	return s
}

// usualRows is how many rows a page has unless it is asked for another number.
const usualRows = 100

func (f *filters) limit() int {
	n := f.Number("limit", usualRows, 1, products.MaxPage)
	value := ""
	if n != usualRows {
		value = strconv.Itoa(n)
	}
	f.all = append(f.all, filter{Name: "limit", Label: "Rows", Value: value, Kind: "number", Hint: strconv.Itoa(usualRows)})
	return n
}

// flags are the filters on the command line.
func (f *filters) flags() (flags []string) {
	for _, one := range f.all {
		switch {
		case one.Value == "":
		case one.Kind == "tick":
			flags = append(flags, "--"+one.Name)
		default:
			flags = append(flags, "--"+one.Name+"="+one.Value)
		}
	}
	return flags
}

// parameters are the filters in a link.
func (f *filters) parameters() (list []string) {
	for _, one := range f.all {
		list = append(list, one.Name, one.Value)
	}
	return list
}
