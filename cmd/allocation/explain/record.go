package explain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/explain"
	"allocation/store"
)

type recordCommand struct {
	shown
	ID    string `arg:"" name:"position|id" help:"Its position <topic>.<partition>.<offset>, its ce_id, a correlation, the ce_id of one of its events, or <topic>.<partition>: the next one there."`
	Since string `default:"1h" placeholder:"TIME" help:"Look for an id so far back where days have no index yet, and in topics."`

	FromTopic bool `help:"Look for an id in the command topics, too: a command without effect is only there."`
}

func (recordCommand) Help() string {
	return `Prints what became of a command: when it was produced, read, applied, committed, published and reported to the group, or why not yet.
By an id or a correlation, it looks at the days that are over, and back to --since.

Examples:

    allocation explain command warehouse.commands.3.1042
    allocation explain command checkout-77 --since 6h`
}

// Run prints the command, or all commands of the correlation.
func (c *recordCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	limit, since := c.limit(problems), problems.Ago("since", c.Since)
	if err := problems.Err(); err != nil {
		return err
	}
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	return c.explain(ctx, p, db, since, limit)
}

func (c *recordCommand) explain(ctx context.Context, p *cli.Program, db *store.Store, since time.Time, limit int) error {
	ids, err := c.find(ctx, p, db, since, limit)
	if err != nil {
		return err
	}
	for i, id := range ids {
		e, err := c.Explain(ctx, p, db, words, id)
		if err == nil {
			err = sayIfStale(ctx, db, e)
		}
		var looked *explain.Looked
		if err == nil {
			looked, err = c.InKafka.Find(ctx, p, db, c.Kafka, pointers(e.Events()))
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
			err = errors.Join(e.Print(p, words), looked.Print(p))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// find gives the positions that an id means, and says what it understood.
func (c *recordCommand) find(ctx context.Context, p *cli.Program, db *store.Store, since time.Time, limit int) ([]store.RecordID, error) {
	if id, err := store.ParseRecordID(c.ID); err == nil {
		if _, err := db.Way(ctx, id); !errors.Is(err, store.ErrUnknown) {
			return []store.RecordID{id}, err
		}
	}
	next, ok, err := db.NextCommand(ctx, c.ID)
	switch {
	case err != nil:
		return nil, err
	case ok:
		c.say(p, "%s is a partition, and this the first of its commands that is not applied", c.ID)
		return []store.RecordID{next}, nil
	}
	id, ok, err := db.EventCommand(ctx, c.ID)
	switch {
	case err != nil:
		return nil, err
	case ok:
		c.say(p, "%s is the id of an event of this command", c.ID)
		return []store.RecordID{id}, nil
	}
	found, err := db.FindCommands(ctx, c.ID, since, limit)
	if err != nil {
		return nil, err
	}
	if c.FromTopic {
		if err := c.FindInTopics(ctx, p, db, c.ID, since, found); err != nil {
			return nil, err
		}
	}
	if len(found.Commands) == 0 {
		return nil, c.notFound(found)
	}
	var ids []store.RecordID
	byID := 0
	for _, f := range found.Commands {
		ids = append(ids, f.ID)
		if f.CommandID == c.ID {
			byID++
		}
	}
	is := "id or the correlation"
	switch byID {
	case len(ids):
		is = "id"
	case 0:
		is = "correlation"
	}
	text := fmt.Sprintf("%s is the %s of %s", c.ID, is, cli.CountOf(int64(len(ids)), "command"))
	if found.More {
		text += ", and there are more (--limit)"
	}
	if !c.FromTopic {
		text += "\n" + onlyInTopic
	}
	c.say(p, "%s", text)
	return ids, nil
}

// onlyInTopic says what a search without the topics does not find.
const onlyInTopic = "one that had no effect, or was not read yet, is only in its topic: say --from-topic to look there"

func (c *recordCommand) notFound(found *store.Found) error {
	text := fmt.Sprintf("no command with the id or the correlation %q was found, on days that are over and since %s (--since)", c.ID, cli.When(found.Since))
	if !c.FromTopic {
		text += "; " + onlyInTopic
	}
	return errors.New(text)
}

func (c *recordCommand) say(p *cli.Program, format string, args ...any) {
	if !c.JSON {
		fmt.Fprintf(p.Out, "%s\n\n", cli.PrintableLines(fmt.Sprintf(format, args...)))
	}
}
