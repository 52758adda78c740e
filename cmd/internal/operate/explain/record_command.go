package explain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// Record is "explain command" on the command line.
type Record struct {
	Shown
	ID    string `arg:"" name:"position|id" help:"Its position <topic>.<partition>.<offset>, its ce_id, a correlation, the ce_id of one of its events, or <topic>.<partition>: the next one there."`
	Since string `default:"1h" placeholder:"TIME" help:"Look for an id so far back where days have no index yet, and in topics."`

	FromTopic bool `help:"Look for an id in the command topics, too: a command without effect is only there."`

	Words Words `kong:"-"`
}

// Help is what --help adds.
func (Record) Help() string {
	return `Prints what became of a command: when it was produced, read, applied, committed, published and reported to the group, or why not yet.
By an id or a correlation, it looks at the days that are over, and back to --since.

Examples:

    ${program} explain command ${topic}.3.1042
    ${program} explain command checkout-77 --since 6h`
}

// Run prints the command, or all commands of the correlation.
func (c *Record) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	limit, since := c.CheckLimit(problems), problems.Ago("since", c.Since)
	if err := problems.Err(); err != nil {
		return err
	}
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	return c.tell(ctx, p, db, since, limit)
}

func (c *Record) tell(ctx context.Context, p *cli.Program, db *store.Store, since time.Time, limit int) error {
	commands, done := c.Commands(p, db, c.Words)
	defer done()
	found, err := commands.Find(ctx, Query{Text: c.ID, Since: since, FromTopic: c.FromTopic, Limit: limit})
	if err != nil {
		return err
	}
	c.say(p, found)
	for i := range found.Commands {
		e, err := commands.Explain(ctx, found.Commands[i].ID)
		var looked *Looked
		if err == nil {
			looked, err = c.InKafka.Find(ctx, p, db, c.Kafka, Pointers(e.Events()))
		}
		switch {
		case err != nil:
			return err
		case c.JSON:
			err = p.PrintJSON(e)
		default:
			if i > 0 {
				fmt.Fprintln(p.Out)
			}
			err = errors.Join(e.Print(p, c.Words), looked.Print(p))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// say says what the text was understood as.
func (c *Record) say(p *cli.Program, found *Understood) {
	if c.JSON || found.Says == "" {
		return
	}
	text := found.Says
	if found.More {
		text += ", and there are more (--limit)"
	}
	if found.Searched && !c.FromTopic {
		text += "\n" + OnlyInTopic
	}
	fmt.Fprintf(p.Out, "%s\n\n", cli.PrintableLines(text))
}
