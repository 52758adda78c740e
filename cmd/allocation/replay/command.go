// Package replay decides the commands of an exported file again, and shows what differs.
package replay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"allocation/cmd/internal/cli"
	"allocation/domain/incident"
)

// Command is "replay" on the command line.
type Command struct {
	File  string `arg:"" name:"file" help:"What export wrote, or explain product --json printed; - for standard input."`
	To    string `placeholder:"VERSION" help:"Stop after the command that brings the product to this version, and print the product there."`
	Quiet bool   `help:"Print only what differs."`
	JSON  bool   `help:"Print JSON: what differs, and the product at the end."`
}

// Help is what --help adds.
func (Command) Help() string {
	return `Decides each command of a file again, with the rules of this program, and prints what it comes to, up to the first thing that differs from then. It needs
neither Kafka nor Postgres. The exit code is 1 where something differs.

Examples:

    allocation replay incident.json
    allocation replay incident.json --to 7
    allocation export CHAIR | allocation replay - --quiet`
}

// result is what --json prints.
type result struct {
	Products int             `json:"products"`
	Commands int             `json:"commands"`
	Events   int64           `json:"events"`
	SKU      string          `json:"sku"` // of the last product, as what follows
	State    *incident.State `json:"state"`
	Differs  *differs        `json:"difference,omitempty"`
}

type differs struct {
	Step    int               `json:"step"`
	What    string            `json:"what"`
	Then    string            `json:"then"`
	Now     string            `json:"now"`
	Command *incident.Command `json:"command"`
	Events  []incident.Event  `json:"events_now"`
}

// Run replays the file.
func (c *Command) Run(_ context.Context, p *cli.Program) error {
	problems := p.Problems()
	check := &incident.Checker{}
	if c.To != "" {
		const most = 1 << 53 // as far as JSON has integers
		check.To = int64(problems.Integer("to", c.To, 0, most))
	}
	if err := problems.Err(); err != nil {
		return err
	}
	in, err := c.open(p)
	if err != nil {
		return err
	}
	defer in.Close()
	out := bufio.NewWriter(p.Out)
	if !c.Quiet && !c.JSON {
		s := &steps{out: out, check: check}
		check.Seen = s.print
	}
	err = check.Check(in)
	var found *incident.Found
	if err != nil && !errors.As(err, &found) {
		return errors.Join(out.Flush(), fmt.Errorf("%s cannot be replayed: %w", c.File, err))
	}
	if err == nil && c.To != "" && check.Replay.Version() < check.To {
		err = fmt.Errorf("--to is %d, and the file ends at version %d", check.To, check.Replay.Version())
		return errors.Join(out.Flush(), err)
	}
	if c.JSON {
		return errors.Join(c.json(p, check, found), different(found))
	}
	if err := c.print(out, check, found); err != nil {
		return err
	}
	return different(found)
}

func (c *Command) open(p *cli.Program) (io.ReadCloser, error) {
	if c.File == "-" {
		return io.NopCloser(p.In), nil
	}
	return os.Open(c.File)
}

func different(found *incident.Found) error {
	if found == nil {
		return nil
	}
	return fmt.Errorf("step %d differs from what was decided then; what comes after it was not replayed", found.Step)
}

func (c *Command) json(p *cli.Program, check *incident.Checker, found *incident.Found) error {
	last := check.Products[len(check.Products)-1]
	r := result{Products: len(check.Products), Commands: check.Steps, Events: check.Events, SKU: last.SKU, State: check.Replay.State()}
	if found != nil {
		r.Differs = &differs{found.Step, found.What, found.Then, found.Now, found.Command, found.Events}
	}
	return p.PrintJSON(r)
}

func (c *Command) print(out *bufio.Writer, check *incident.Checker, found *incident.Found) error {
	switch {
	case found != nil:
		fmt.Fprintf(out, "\n%s", cli.PrintableLines(found.String()))
	case c.To != "":
		printState(out, check)
	default:
		fmt.Fprintf(out, "\n%s, %s: nothing differs\n", cli.CountOf(int64(check.Steps), "command"), cli.CountOf(check.Events, "event"))
	}
	return out.Flush()
}
