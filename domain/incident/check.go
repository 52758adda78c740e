package incident

import (
	"errors"
	"fmt"
	"io"
)

// Found is a difference, as an error.
type Found struct{ *Difference }

func (f *Found) Error() string { return f.String() }

var errEnough = errors.New("enough was replayed")

// Checker replays a file as it is read, up to the first difference.
type Checker struct {
	// Seen, unless nil, is told each command and what it comes to now.
	Seen func(step int, c *Command, now *Outcome)
	// To, unless 0, is the version at which to stop.
	To int64

	Products []*Product
	Steps    int
	Events   int64
	Replay   *Replay // of the last product
}

// Check replays a file. A difference is a Found.
func (c *Checker) Check(in io.Reader) error {
	err := Read(in, c)
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// Begin begins with a product.
func (c *Checker) Begin(p *Product) (err error) {
	if c.To > 0 && len(c.Products) > 0 {
		return errors.New("a version is one of a single product, and this file has more")
	}
	c.Products = append(c.Products, p)
	c.Replay, err = NewReplay(p.SKU, p.Start)
	if err == nil && c.To > 0 && c.To <= p.Start.Version {
		return errEnough
	}
	return err
}

// Step replays a command.
func (c *Checker) Step(then *Command) error {
	now, err := c.Replay.Apply(then)
	if err != nil {
		return err
	}
	c.Steps++
	c.Events += int64(len(now.Events))
	if c.Seen != nil {
		c.Seen(c.Steps, then, &now)
	}
	if d := Compare(c.Steps, then, &now); d != nil {
		return &Found{d}
	}
	if c.To > 0 && c.Replay.Version() >= c.To {
		return errEnough
	}
	return nil
}

// End ends a product.
func (c *Checker) End() error {
	p := c.Products[len(c.Products)-1]
	if is := c.Replay.Version(); p.Version > 0 && is != p.Version {
		return fmt.Errorf("version of the product %q is %d; its commands lead to %d: commands are missing", p.SKU, p.Version, is)
	}
	return nil
}
