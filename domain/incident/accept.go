package incident

import (
	"encoding/json"
	"io"
)

// Accept copies a file, with what its commands come to now.
func Accept(in io.Reader, out io.Writer, encoder func(io.Writer) *json.Encoder) error {
	a := &accepting{out: NewWriter(out, encoder)}
	if err := Read(in, a); err != nil {
		return err
	}
	return a.out.Close()
}

// accepting keeps the commands of a product until its version is known.
type accepting struct {
	out      *Writer
	product  *Product
	commands []*Command
	replay   *Replay
}

// Begin begins with a product.
func (a *accepting) Begin(p *Product) (err error) {
	a.product, a.commands = p, nil
	a.replay, err = NewReplay(p.SKU, p.Start)
	return err
}

// Step decides a command.
func (a *accepting) Step(c *Command) error {
	now, err := a.replay.Apply(c)
	if c.Message == "" {
		now.Message = ""
	}
	c.Outcome = now
	a.commands = append(a.commands, c)
	return err
}

// End writes the product.
func (a *accepting) End() error {
	a.product.Version = a.replay.Version()
	err := a.out.Begin(a.product)
	for _, c := range a.commands {
		if err == nil {
			err = a.out.Step(c)
		}
	}
	if err != nil {
		return err
	}
	return a.out.End()
}
