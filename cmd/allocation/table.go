package main

import (
	"io"
	"strings"
	"text/tabwriter"
)

// table prints aligned columns for people.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer, columns ...string) *table {
	t := &table{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	t.row(columns...)
	return t
}

func (t *table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
	}
	_, _ = io.WriteString(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t")+"\n")
}

// flush prints the table. It has the error of any row.
func (t *table) flush() error { return t.w.Flush() }
