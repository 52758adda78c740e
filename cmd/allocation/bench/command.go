package bench

import (
	"context"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/topics"
	"allocation/migrations"
)

// Command is "bench" on the command line.
type Command struct {
	config.Kafka
	config.Database
	config.Topics
	Workload string `default:"allocate" help:"allocate (lines of many products), zipf (most of them of few), hot (of one), storm (a batch with many lines shrinks meanwhile; needs --rate) or mixed (all commands)."`
	OrderIDs string `name:"order-ids" default:"random" help:"random (like UUIDs, which cost an index most) or growing (like a counter's, or UUIDs of version 7)."`
	Commands string `placeholder:"N" help:"How many commands; 1000000 without it. With --rate, that and --duration say how many."`
	SKUs     string `name:"skus" default:"1000" placeholder:"N" help:"How many products; hot has one."`
	History  string `default:"0" placeholder:"N" help:"Past lines that are there from the start."`
	Waiting  string `default:"0" placeholder:"N" help:"Measure on a product for which N lines wait from the start: for ten lines more, a batch comes that serves ten. Takes the place of --workload."`
	Lines    string `placeholder:"N" help:"Lines on the batch that shrinks by half in a storm; 100000 without it."`
	Workers  string `default:"1" placeholder:"N" help:"Workers to start; 0: those that run already."`
	Rate     string `default:"0" placeholder:"N" help:"Measure latency at so many commands a second; 0: throughput, from a backlog."`
	Duration string `placeholder:"TIME" help:"How long to measure at a rate, such as 30s, after 2s that do not count."`
	JSON     bool   `help:"Print JSON."`
}

// Help is what --help adds.
func (Command) Help() string {
	return `Measures a broker and a database of yours. It creates the topics that are missing, migrates the database, fills both with commands of its own, and
leaves what it wrote. So it refuses topics that hold a record and tables that hold a row. Its database user must own the database.

Without --rate it sends all commands, then starts workers, and measures throughput: from the first event's timestamp to the last one's. With --rate
it sends each command when it is due, whatever became of those before, and measures latency from then until it has read the command's last event.
Either way it checks that every command had its effect, and fails where one had not.

The workers are this program, on this machine; APPLIERS, MAX_BATCH and the other settings of a worker are taken from the environment. Without
KAFKA_GROUP_ID they have a group of their own, allocation-bench-…, which is left behind. CPU time is shown of what runs on this machine and this user may see. With --workers 0 a backlog is worked off while it is sent.

Example:

    DATABASE_URL=postgres://owner:secret@db:5432/empty KAFKA_BROKERS=kafka-1:9092 allocation bench --commands 200000
    DATABASE_URL=postgres://owner:secret@db:5432/empty KAFKA_BROKERS=kafka-1:9092 allocation bench --workload mixed --rate 500 --duration 30s`
}

// Run measures and prints the figures.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	plan, err := c.plan(p)
	if err != nil {
		return err
	}
	site, err := c.site(ctx, p)
	if err != nil {
		return err
	}
	defer site.DB.Close(context.WithoutCancel(ctx))
	line := cli.NewStatusLine(p.Err)
	defer line.End()
	site.Progress = line.Show
	if err := c.prepare(ctx, p, site, plan.Workers == 0); err != nil {
		return err
	}
	report, err := Run(ctx, plan, site)
	line.End()
	if err != nil {
		return err
	}
	if c.JSON {
		return p.PrintJSON(report)
	}
	return printReport(p, report)
}

// prepare makes topics and tables, after it has refused those that hold anything.
func (c *Command) prepare(ctx context.Context, p *cli.Program, site Site, workersRun bool) error {
	client, err := site.Connect()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	names := append(append(c.CommandTopicNames(), c.Outputs()...), c.DeadLetterTopic)
	if err := RefuseTopics(ctx, admin, names); err != nil {
		return err
	}
	if err := RefuseTables(ctx, site.DB, workersRun); err != nil {
		return err
	}
	if err := c.migrate(ctx, p); err != nil {
		return err
	}
	layout := topics.Layout{Topics: c.Topics, Partitions: topics.DefaultPartitions, Replication: topics.BrokersDefault}
	_, err = layout.Create(ctx, admin)
	return err
}

// site is where to measure, with a connection to the database.
func (c *Command) site(ctx context.Context, p *cli.Program) (site Site, err error) {
	if site.Program, err = os.Executable(); err != nil {
		return site, fmt.Errorf("find this program: %w", err)
	}
	site.Connect = func(more ...kgo.Opt) (*kgo.Client, error) { return p.ConnectKafka(ctx, c.Kafka, more...) }
	site.Commands, site.Events = c.CommandTopicNames()[0], c.EventsTopic
	if site.Env, err = c.workerEnvironment(); err != nil {
		return site, err
	}
	site.DB, err = p.ConnectDatabase(ctx, c.Database)
	return site, err
}

func (c *Command) migrate(ctx context.Context, p *cli.Program) error {
	db, err := p.OpenDatabase(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = migrations.Up(ctx, db, migrations.Options{Schema: c.In()})
	return err
}
