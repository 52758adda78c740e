package incident

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Writer writes a file: each command on a line of its own, so that people can read and compare it.
type Writer struct {
	out      *bufio.Writer
	encode   *json.Encoder
	products int
	commands int
	err      error
}

// NewWriter begins a file. encoder makes what encodes a value onto a line.
func NewWriter(out io.Writer, encoder func(io.Writer) *json.Encoder) *Writer {
	w := &Writer{out: bufio.NewWriterSize(out, 1<<16)}
	w.encode = encoder(lineWriter{w.out})
	w.text(`{"format":%q,"products":[`, Format)
	return w
}

// lineWriter leaves out the line break behind a value.
type lineWriter struct{ out io.Writer }

func (l lineWriter) Write(text []byte) (int, error) {
	if _, err := l.out.Write(text[:len(text)-1]); err != nil {
		return 0, err
	}
	return len(text), nil
}

func (w *Writer) text(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format, args...)
	}
}

func (w *Writer) value(v any) {
	if w.err == nil {
		w.err = w.encode.Encode(v)
	}
}

// Begin begins a product.
func (w *Writer) Begin(p *Product) error {
	if w.products > 0 {
		w.text(",")
	}
	w.products, w.commands = w.products+1, 0
	w.text("\n{\"sku\":")
	w.value(p.SKU)
	if p.Since != nil {
		w.text(",\"since\":")
		w.value(p.Since)
	}
	w.text(",\"version\":%d,\"left_out\":%d,\n\"start\":", p.Version, p.LeftOut)
	w.value(p.Start)
	w.text(",\n\"commands\":[")
	return w.err
}

// Step writes a command.
func (w *Writer) Step(c *Command) error {
	if w.commands > 0 {
		w.text(",")
	}
	w.commands++
	w.text("\n")
	w.value(c)
	return w.err
}

// End ends a product.
func (w *Writer) End() error {
	w.text("]}")
	return w.err
}

// Close ends the file.
func (w *Writer) Close() error {
	w.text("]}\n")
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.err
}
