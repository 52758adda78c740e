// Package send sends commands to Kafka, one or the lines of a file, and checks them before.
package send

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
)

// Command is "send" on the command line.
type Command struct {
	config.Kafka
	config.Commands
	Given
	JSON bool `help:"Print JSON."`
}

// Help is what --help adds.
func (c Command) Help() string {
	return `Sends one command, or all commands of a file, to the first of ${prefix}COMMAND_TOPICS, keyed by ${key}. It is checked before it is sent: a mistake is
an error here, not a dead letter. What it came to is an event (${program} tail), a dead letter (${program} dlq list), or nothing where it was done
before.

The commands, and the fields of their data:

` + c.Language.Types() + `
Examples:

` + c.examples() + `    ${program} send -f commands.jsonl

A line of a file, where id, correlationid and key may be left out (key is the ${key} then, if the data has one):

    ` + c.Language.Line + `

Nothing of a file is sent if one of its lines is wrong. Standard input is sent as it comes, up to the first line that is wrong.`
}

func (c Command) examples() string {
	var all strings.Builder
	for _, example := range c.Language.Examples {
		fmt.Fprintf(&all, "    ${program} send %s\n", example)
	}
	return all.String()
}

// Run sends what the arguments or the file say.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.Kafka.Check(problems)
	c.Commands.Check(problems)
	if err := problems.Err(); err != nil {
		return err
	}
	if err := c.check(p, "send"); err != nil {
		return err
	}
	if c.File != "" {
		return c.sendFile(ctx, p)
	}
	return c.sendOne(ctx, p)
}

func (c *Command) topic() string { return c.CommandTopicNames()[0] }

// deliveryTime is how long Kafka may take to accept a command before the user is told.
const deliveryTime = 30 * time.Second

func (c *Command) connect(ctx context.Context, p *cli.Program, more ...kgo.Opt) (*kgo.Client, error) {
	client, err := p.ConnectKafka(ctx, c.Kafka, append(more,
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // as Java's clients: a key's commands stay in one partition
		kgo.RecordDeliveryTimeout(deliveryTime))...)
	if err != nil {
		return nil, err
	}
	if err := cli.RequireTopic(ctx, client, c.topic()); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

func (c *Command) sendOne(ctx context.Context, p *cli.Program) error {
	if c.ID == "" {
		c.ID = uuid.NewString()
	}
	m, err := c.one()
	if err != nil {
		return err
	}
	client, err := c.connect(ctx, p, kgo.ProducerLinger(0))
	if err != nil {
		return err
	}
	defer client.Close()
	sent, err := client.ProduceSync(ctx, c.Language.Record(m, c.topic(), sourceOf(p.Name))).First()
	if err != nil {
		return fmt.Errorf("send %s: %w", c.Type, err)
	}
	return c.printSent(p, sent)
}

// Sent is where a command went.
type Sent struct {
	ID        string `json:"id"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

func (c *Command) printSent(p *cli.Program, r *kgo.Record) error {
	sent := Sent{c.ID, r.Topic, r.Partition, r.Offset}
	if c.JSON {
		return p.PrintJSON(sent)
	}
	_, err := fmt.Fprintf(p.Out, "sent %s %s to %s, partition %d, offset %d\n", c.Type, sent.ID, sent.Topic, sent.Partition, sent.Offset)
	return err
}
