package dlq

import (
	"context"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
)

type listCommand struct {
	config.Database
	letterFlags
	State []string `default:"open,retrying,discarding" placeholder:"STATE,…" help:"Only those in these states: open, retrying, discarding, retried, discarded; or all."`
	Limit string   `default:"100" help:"Print so many at most."`
	JSON  bool     `help:"Print JSON."`
}

func (listCommand) Help() string {
	return `Prints dead letters, oldest first. Those in the state open wait for somebody to decide; retrying and discarding are decided, and their
partition's worker has not done it yet. A command that was refused again when it was retried is one dead letter, which counts its retries; show
has all of them. WAITING is how many later commands of the ${entity} wait behind it.

Examples:

    ${program} dlq list
    ${program} dlq list --reason internal --since 2h
    ${program} dlq list --state all --${key} ${a_key} --json`
}

// Run prints the list.
func (c *listCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	filter := c.filter(p, problems)
	limit := problems.Integer("limit", c.Limit, 1, 100_000)
	problems.OneOf("state", c.State, append(store.LetterStates(), "all")...)
	if err := problems.Err(); err != nil {
		return err
	}
	states := c.State
	for _, s := range c.State {
		if s == "all" {
			states = store.LetterStates()
		}
	}
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := db.Letters(ctx, filter, states, limit)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.PrintJSON(list)
	}
	return printLetters(p, &list)
}

func printLetters(p *cli.Program, list *store.LetterList) error {
	if len(list.Letters) == 0 {
		_, err := fmt.Fprintln(p.Out, "no dead letters")
		return err
	}
	columns := []string{"ID", "REASON", "TYPE", title(p), "WHEN", "STATE", "WAITING", "MESSAGE"}
	return cli.PrintTable(p, columns, list.Letters, int64(len(list.Letters))+list.More, func(l *store.Letter) []string {
		waiting := ""
		if l.Holds != "" {
			waiting = cli.Count(l.Waiting)
		}
		return []string{l.ID.String(), l.Reason, l.Type, l.Key, cli.When(l.RecordedAt), StateOf(l), waiting, cut(l.Message, 60)}
	})
}

// StateOf is a dead letter's state for people, with how far it is where it is about a batch of
// records.
func StateOf(l *store.Letter) string {
	state := letterState(l)
	if b := l.Batch; b != nil && b.Next != nil && *b.Next > l.ID.Offset && *b.Next <= b.Last {
		state += fmt.Sprintf("; up to offset %d of %d", *b.Next-1, b.Last)
	}
	return state
}

// letterState is a dead letter's state for people, or what it waits for.
func letterState(l *store.Letter) string {
	if l.WaitsUntil != nil {
		return cli.WaitsText(*l.WaitsUntil)
	}
	return StateText(l.State, l.Retries)
}

// StateText is a dead letter's state for people, with how often its command was tried again before:
// by a person, or by a worker that waited for a newer one in vain.
func StateText(state string, retries int32) string {
	switch retries {
	case 0:
		return state
	case 1:
		return state + " (tried again once)"
	}
	return fmt.Sprintf("%s (tried again %d times)", state, retries)
}

// cut leaves so many characters of a text at most.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
