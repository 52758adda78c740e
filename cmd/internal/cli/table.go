package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Table prints aligned columns for people.
type Table struct{ w *tabwriter.Writer }

// NewTable makes a table with these headings.
func NewTable(out io.Writer, columns ...string) *Table {
	t := &Table{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	t.Row(columns...)
	return t
}

// Row adds a row.
func (t *Table) Row(cells ...string) {
	for i, cell := range cells {
		cells[i] = Printable(cell)
	}
	_, _ = io.WriteString(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t")+"\n")
}

// Flush prints the table. It has the error of any row.
func (t *Table) Flush() error { return t.w.Flush() }

// PrintTable prints a list for people, a row for each. total is how many there are, where some are
// left out of the list.
func PrintTable[T any](p *Program, columns []string, list []T, total int64, row func(*T) []string) error {
	t := NewTable(p.Out, columns...)
	for i := range list {
		t.Row(row(&list[i])...)
	}
	if err := t.Flush(); err != nil || total <= int64(len(list)) {
		return err
	}
	_, err := fmt.Fprintf(p.Out, "… and %s more\n", Count(total-int64(len(list))))
	return err
}

// PrintList is PrintTable, or prints the list as JSON.
func PrintList[T any](p *Program, asJSON bool, columns []string, list []T, row func(*T) []string) error {
	if asJSON {
		return p.PrintJSON(list)
	}
	return PrintTable(p, columns, list, 0, row)
}
