// Package tail prints events as they come.
package tail

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/cloudevent"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/explain"
	"allocation/worker"
)

// Command is "tail" on the command line.
type Command struct {
	config.Kafka
	config.Events
	FromBeginning bool     `help:"Begin with the oldest event instead of with the next."`
	Key           string   `name:"${key}" placeholder:"${KEY}" help:"Only events of this ${entity}."`
	Type          []string `placeholder:"TYPE,…" help:"Only events of these types, such as ${an_event}."`
	JSON          bool     `help:"Print each event as a line of JSON: a CloudEvent in structured mode."`

	Words explain.Words                `kong:"-"` // say what happened
	Wants func(*cloudevent.Event) bool `kong:"-"` // leaves out more events; nil: none
}

// Help is what --help adds.
func (Command) Help() string {
	return `Prints events until Ctrl-C: when, the ${key} and the sequence that it counts its events with, the type, and what happened. Events of one
${entity} come in order; those of several may be in other partitions. It joins no consumer group, so it disturbs nobody.

Examples:

    ${program} tail --from-beginning --${key} ${a_key}
    ${program} tail --type ${an_event} --json`
}

// Run prints events until the context ends.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.Kafka.Check(problems)
	c.Events.Check(problems)
	for _, name := range c.Type {
		if !slices.Contains(p.Vocabulary.Events, name) {
			problems.Add("type", name, "one of "+strings.Join(p.Vocabulary.Events, ", "))
		}
	}
	if err := problems.Err(); err != nil {
		return err
	}
	client, err := p.ConnectKafka(ctx, c.Kafka)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	defer client.Close()
	if err := c.begin(ctx, p, client); err != nil {
		return unlessStopped(ctx, err)
	}
	return c.follow(ctx, client, newPrinter(p, c.Words, c.JSON))
}

// unlessStopped drops the error of what a person stopped.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// begin has the client read all partitions, from exactly where they end now, or from their
// beginning.
func (c *Command) begin(ctx context.Context, p *cli.Program, client *kgo.Client) error {
	if err := cli.RequireTopic(ctx, client, c.EventsTopic); err != nil {
		return err
	}
	from, err := c.offsets(ctx, client, p)
	if err != nil {
		return err
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{c.EventsTopic: from})
	if !c.JSON && config.IsTerminal(p.Err) {
		fmt.Fprintf(p.Err, "events of %s, until Ctrl-C\n", c.EventsTopic)
	}
	return nil
}

// offsets are where to begin. A partition that does not tell keeps nothing from the others.
func (c *Command) offsets(ctx context.Context, client *kgo.Client, p *cli.Program) (map[int32]kgo.Offset, error) {
	topics, err := worker.ListTopics(ctx, client, c.EventsTopic)
	if err != nil {
		return nil, err
	}
	answers := worker.Ask(ctx, client, topics, func(worker.TopicPartition) bool { return true })
	from := map[int32]kgo.Offset{}
	for name, log := range answers.Logs {
		from[name.Partition] = kgo.NewOffset().At(log.End)
		if c.FromBeginning {
			from[name.Partition] = kgo.NewOffset().At(log.Start)
		}
	}
	for name, why := range answers.Silent {
		fmt.Fprintf(p.Err, "%s, partition %d, does not tell where it is, and is read when it does: %v\n", name.Topic, name.Partition, why)
		from[name.Partition] = kgo.NewOffset().AtEnd()
		if c.FromBeginning {
			from[name.Partition] = kgo.NewOffset().AtStart()
		}
	}
	return from, nil
}

func (c *Command) follow(ctx context.Context, client *kgo.Client, printer *printer) error {
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return printer.flush()
		}
		for _, r := range cloudevent.ByTime(fetches) {
			e := cloudevent.Read(r)
			if name := printer.nameOf(&e); c.wants(&e, name) {
				printer.print(&e, name)
			}
		}
		if err := printer.flush(); err != nil {
			return err
		}
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("read %s: %w", c.EventsTopic, err)
		}
	}
}

func (c *Command) wants(e *cloudevent.Event, name string) bool {
	return (len(c.Type) == 0 || slices.Contains(c.Type, name)) && (c.Key == "" || e.PartitionKey == c.Key) && (c.Wants == nil || c.Wants(e))
}
