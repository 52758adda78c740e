// Package try says what commands would come to now, and does nothing.
package try

import (
	"context"
	"errors"

	"allocation/cmd/allocation/event"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/send"
	"allocation/cmd/internal/operate/try"
)

// Command is "try" on the command line.
type Command struct {
	config.Database
	send.Given
	Limit string `default:"100" placeholder:"N" help:"Show so many events of each command at most. All are counted."`
	JSON  bool   `help:"Print JSON."`
}

// Help is what --help adds.
func (c Command) Help() string {
	return `Prints what a command would come to if it were applied now: its events and why they are as they are, a refusal, no effect, or what it would wait behind.
Several commands of a file are tried one after the other: each sees what those before it would have done. It reads the database only, and neither writes
anything nor keeps anybody waiting. What is in the topics and not applied yet is not looked at. A refusal is an answer, so the exit code is 0.

The commands, and the fields of their data:

` + c.Language.Types() + `
Examples:

    allocation try ChangeBatchQuantity batchref=b1 sku=CHAIR qty=25
    allocation try -f commands.jsonl --json

A file has the lines of allocation send -f.`
}

// Run tries what the arguments or the file say.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.Database.Check(problems)
	limit := problems.Integer("limit", c.Limit, 0, 1_000_000)
	if err := problems.Err(); err != nil {
		return err
	}
	var commands try.Commands
	if err := c.Each(p, "try", "tried", func(line int64, m *send.Message) {
		commands.Add(try.Command{Type: m.Command, Data: m.Data, ID: m.ID, CorrelationID: m.CorrelationID, Line: line})
	}); err != nil {
		return err
	}
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	answers, err := commands.Try(ctx, db, event.Words, limit)
	if err != nil {
		return err
	}
	return errors.Join(c.print(p, answers), answers.Err())
}

func (c *Command) print(p *cli.Program, answers *try.Answers) error {
	if c.JSON {
		return p.PrintJSON(answers)
	}
	return answers.Print(p, event.Words)
}
