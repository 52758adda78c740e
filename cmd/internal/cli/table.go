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

// PrintMore says how many lines of a list were left out.
func (p *Program) PrintMore(more int64) error {
	if more <= 0 {
		return nil
	}
	_, err := fmt.Fprintf(p.Out, "… and %s more\n", Count(more))
	return err
}
