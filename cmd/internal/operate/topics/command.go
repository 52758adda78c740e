// Package topics creates the topics of a service, and says what is not right about their settings.
package topics

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
)

// Command is "topics" on the command line.
type Command struct {
	Create createCommand `cmd:"" help:"Create the topics that are missing."`
}

type createCommand struct {
	config.Kafka
	config.Topics
	Partitions        string `default:"12" placeholder:"N" help:"Partitions of each new topic."`
	ReplicationFactor string `default:"-1" placeholder:"N" help:"Copies of each new topic; -1: what the brokers have as their default."`
	OutboxRetention   string `name:"outbox-retention" env:"OUTBOX_RETENTION" default:"7d" help:"How long published events stay in the database: what topics keep is compared with it."`
	JSON              bool   `help:"Print JSON."`
}

func (createCommand) Help() string {
	return `Creates what is missing of the command topics, the events topic, the topics of ${prefix}EVENT_ROUTES, and the dead-letter topic. The dead-letter
topic takes records 64 KiB larger than the largest command. None of them is compacted, whatever the brokers' default is. Topics that exist are left
as they are; what is not right about their settings is said, and a command topic that is compacted is an error.

Example:

    ${program} topics create --partitions 24 --replication-factor 3`
}

// Run creates the topics and prints what was made.
func (c *createCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.Kafka.Check(problems)
	c.Topics.Check(problems)
	layout := Layout{
		Topics:      c.Topics,
		Partitions:  int32(problems.Integer("partitions", c.Partitions, 1, 100_000)),
		Replication: int16(problems.Integer("replication-factor", c.ReplicationFactor, -1, maxReplicas)),
	}
	retention := problems.Retention("outbox-retention", c.OutboxRetention)
	if err := problems.Err(); err != nil {
		return err
	}
	if layout.Replication == 0 {
		return cli.Misuse("--replication-factor is 0; it must be -1 or at least 1")
	}
	client, err := p.ConnectKafka(ctx, c.Kafka)
	if err != nil {
		return err
	}
	defer client.Close()
	made, err := layout.Create(ctx, kadm.NewClient(client))
	if err == nil {
		inspector := Inspector{Client: client, Topics: c.Topics, Retention: retention, Seeds: c.Brokers}
		var found []Finding
		if found, err = inspector.Inspect(ctx); err == nil {
			addNotes(made, found)
			err = LosesCommands(found)
		}
	}
	if printed := printMade(p, made, c.JSON); printed != nil {
		return printed
	}
	return err
}

// addNotes says beside each topic what is not right about it.
func addNotes(made []Made, found []Finding) {
	for i := range made {
		var notes []string
		for _, f := range found {
			if f.Topic == made[i].Topic {
				notes = append(notes, f.note())
			}
		}
		made[i].Note = strings.Join(notes, "; ")
	}
}

func printMade(p *cli.Program, made []Made, asJSON bool) error {
	return cli.PrintList(p, asJSON, []string{"TOPIC", "PARTITIONS", ""}, made, func(m *Made) []string {
		result := "exists"
		if m.Created {
			result = "created"
		}
		if m.Note != "" {
			result += "; " + m.Note
		}
		return []string{m.Topic, fmt.Sprint(m.Partitions), result}
	})
}
