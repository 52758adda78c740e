// Package status prints on one screen how a service is, and what needs a person.
package status

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
)

// Command is "status" on the command line.
type Command struct {
	config.Kafka
	config.Database
	JSON bool `help:"Print JSON."`
}

// Help has an example.
func (Command) Help() string {
	return `Prints the version of the schema, the workers and theirs, the lag of each topic, held ${entity}s, dead letters, what waits, and the oldest transaction
in the database. At the end it says what needs a person, and for each the command that shows more, or mends it. The exit code is 1 where something
does, and 0 where nothing does.

A worker is listed that told the database within 30 s that it runs. Where Kafka does not answer, that needs a person, and the rest is printed.

Example:

    ${program} status --json`
}

// Run prints it, and fails where something needs a person.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	s, err := c.look(ctx, p)
	if err != nil {
		return err
	}
	if c.JSON {
		err = p.PrintJSON(s)
	} else {
		err = s.print(p)
	}
	if err == nil && len(s.Needs) > 0 {
		err = fmt.Errorf("%s a person", needs(len(s.Needs)))
	}
	return err
}

func needs(n int) string {
	if n == 1 {
		return "1 thing needs"
	}
	return fmt.Sprintf("%d things need", n)
}

// look asks Postgres and Kafka. It is an error where Postgres does not answer; a schema that is too
// old is told, and then nothing else is known.
func (c *Command) look(ctx context.Context, p *cli.Program) (*Status, error) {
	problems := p.Problems()
	c.Kafka.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	db, err := p.OpenStore(ctx, c.Database)
	if old := (*store.SchemaError)(nil); errors.As(err, &old) {
		have, needs := old.Lines.Say(old.Have), old.Lines.Say(old.Need)
		s := &Status{Workers: []store.WorkerView{}, Topics: []Topic{}, Needs: []Need{}, Schema: Schema{Version: have, Needs: needs}}
		s.need("schema", fmt.Sprintf("the schema is at %s, and this program needs %s", have, needs), p.Name+" migrate up")
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var client *kgo.Client
	defer func() {
		if client != nil {
			client.Close()
		}
	}()
	return Read(ctx, p, db, func(ctx context.Context) (_ *kgo.Client, err error) {
		client, err = p.ConnectKafka(ctx, c.Kafka)
		return client, err
	}, c.Kafka)
}
