package bench

import (
	"context"
	"os"
	"reflect"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/topics"
	"allocation/migrations"
	"allocation/store/products"
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

What has to be there from the start, workers make of commands, which do not count. Then, without --rate, it sends all commands, starts workers, and
measures throughput: from the first event's timestamp to the last one's. With --rate it sends each command when it is due, whatever became of those
before, and measures latency from then until it has read the command's last event. Either way it checks that every command had its effect, and fails
where one had not.

The workers are this program, on this machine; APPLIERS, MAX_BATCH and the other settings of a worker are taken from the environment. Without
KAFKA_GROUP_ID they have a group of their own, allocation-bench-…, which is left behind. With --workers 0 a backlog is worked off while it is sent.

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
	db, err := p.OpenDatabase(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	client, err := p.ConnectKafka(ctx, c.Kafka)
	if err != nil {
		return err
	}
	defer client.Close()
	environment, err := c.workerEnvironment()
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r := &run{
		plan: plan, workload: newWorkload(plan), book: newBook(), db: db, admin: kadm.NewClient(client),
		connect:  func(more ...kgo.Opt) (*kgo.Client, error) { return p.ConnectKafka(ctx, c.Kafka, more...) },
		commands: c.CommandTopicNames()[0], events: c.EventsTopic, environment: environment, line: cli.NewStatusLine(p.Err), fail: fail,
	}
	defer r.line.End()
	if err := c.prepare(ctx, r); err != nil {
		return err
	}
	report, err := r.measure(ctx)
	r.line.End()
	switch {
	case err != nil && context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	case c.JSON:
		return p.PrintJSON(report)
	}
	return printReport(p, report)
}

// prepare makes topics and tables, after it has refused those that hold anything.
func (c *Command) prepare(ctx context.Context, r *run) error {
	names := append(append(c.CommandTopicNames(), c.Outputs()...), c.DeadLetterTopic)
	if err := refuseTopics(ctx, r.admin, names); err != nil {
		return err
	}
	if err := refuseTables(ctx, r.db, r.plan.workers == 0); err != nil {
		return err
	}
	if _, err := migrations.Up(ctx, r.db, migrations.Options{Schema: c.In(), Lines: products.Service.Lines()}); err != nil {
		return err
	}
	layout := topics.Layout{Topics: c.Topics, Partitions: topics.DefaultPartitions, Replication: topics.BrokersDefault}
	_, err := layout.Create(ctx, r.admin)
	return err
}

const groupVariable = "KAFKA_GROUP_ID"

// workerEnvironment gives a worker the settings that this command was given, however it was given
// them: they are named by the tags of their fields.
func (c *Command) workerEnvironment() (variables []string, err error) {
	if c.URLFile == "" {
		url, err := c.URL()
		if err != nil {
			return nil, err
		}
		variables = append(variables, "DATABASE_URL="+url)
	}
	for _, settings := range []any{c.Kafka, c.Database, c.Topics, c.Topics.Commands, c.Topics.Events} {
		value := reflect.ValueOf(settings)
		for i := range value.NumField() {
			if name := value.Type().Field(i).Tag.Get("env"); name != "" {
				variables = append(variables, name+"="+value.Field(i).String())
			}
		}
	}
	if _, set := os.LookupEnv(groupVariable); !set { // each run has a database of its own, and a group is one database's
		variables = append(variables, groupVariable+"=allocation-bench-"+uuid.NewString())
	}
	return variables, nil
}
