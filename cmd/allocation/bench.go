package main

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/bench"
	"allocation/cmd/allocation/config"
)

type benchCommand struct {
	config.Kafka
	config.Database
	config.Topics
	Workload string `default:"allocate" help:"allocate (lines of many products), zipf (most of them of few), hot (of one), storm (a batch with many lines shrinks meanwhile; needs --rate) or mixed (all commands)."`
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

func (benchCommand) Help() string {
	return `Measures a broker and a database of yours. It creates the topics that are missing, migrates the database, fills both with commands of its own, and
leaves what it wrote. So it refuses topics that hold a record and tables that hold a row. Its database user must own the database.

Without --rate it sends all commands, then starts workers, and measures throughput: from the first event's timestamp to the last one's. With --rate
it sends each command when it is due, whatever became of those before, and measures latency from then until it has read the command's last event.
Either way it checks that every command had its effect, and fails where one had not.

The workers are this program, on this machine; APPLIERS, MAX_BATCH and the other settings of a worker are taken from the environment. CPU time is
shown of what runs on this machine and this user may see. With --workers 0 a backlog is worked off while it is sent.

Example:

    DATABASE_URL=postgres://owner:secret@db:5432/empty KAFKA_BROKERS=kafka-1:9092 allocation bench --commands 200000
    DATABASE_URL=postgres://owner:secret@db:5432/empty KAFKA_BROKERS=kafka-1:9092 allocation bench --workload mixed --rate 500 --duration 30s`
}

// Run measures and prints the figures.
func (c *benchCommand) Run(ctx context.Context, p *program) error {
	plan, err := c.plan(p)
	if err != nil {
		return err
	}
	site, err := c.site(ctx, p)
	if err != nil {
		return err
	}
	defer site.DB.Close(context.WithoutCancel(ctx))
	line := newStatusLine(p.err)
	defer line.end()
	site.Progress = line.show
	if err := c.prepare(ctx, p, site, plan.Workers == 0); err != nil {
		return err
	}
	report, err := bench.Run(ctx, plan, site)
	line.end()
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(report)
	}
	return p.printBench(report)
}

// prepare makes topics and tables, after it has refused those that hold anything.
func (c *benchCommand) prepare(ctx context.Context, p *program, site bench.Site, workersRun bool) error {
	client, err := site.Connect()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics := append(append(c.CommandTopicNames(), c.Outputs()...), c.DeadLetterTopic)
	if err := bench.RefuseTopics(ctx, admin, topics); err != nil {
		return err
	}
	if err := bench.RefuseTables(ctx, site.DB, workersRun); err != nil {
		return err
	}
	if err := p.migrateUp(ctx, c.Database); err != nil {
		return err
	}
	layout := topicLayout{Topics: c.Topics, partitions: usualPartitions, replication: brokersDefault}
	_, err = layout.create(ctx, admin)
	return err
}

// site is where to measure, with a connection to the database.
func (c *benchCommand) site(ctx context.Context, p *program) (site bench.Site, err error) {
	if site.Program, err = os.Executable(); err != nil {
		return site, fmt.Errorf("find this program: %w", err)
	}
	site.Connect = func(more ...kgo.Opt) (*kgo.Client, error) { return p.connectKafka(ctx, c.Kafka, more...) }
	site.Commands, site.Events = c.CommandTopicNames()[0], c.EventsTopic
	if site.Env, err = c.workerEnvironment(); err != nil {
		return site, err
	}
	site.DB, err = p.connectDatabase(ctx, c.Database)
	return site, err
}

// plan reads the settings, or says everything that is wrong with them.
func (c *benchCommand) plan(p *program) (bench.Plan, error) {
	problems := p.problems()
	c.Kafka.Check(problems)
	c.Database.Check(problems)
	c.Topics.Check(problems)
	problems.OneOf("workload", []string{c.Workload}, bench.Workloads()...)
	plan := bench.Plan{
		Workload: c.Workload,
		Commands: problems.Integer("commands", cmp.Or(c.Commands, "1000000"), 1, 100_000_000),
		Products: problems.Integer("skus", c.SKUs, 1, 10_000_000),
		History:  problems.Integer("history", c.History, 0, 100_000_000),
		Waiting:  problems.Integer("waiting", c.Waiting, 0, 10_000_000),
		Lines:    problems.Integer("lines", cmp.Or(c.Lines, "100000"), 2, 10_000_000),
		Workers:  problems.Integer("workers", c.Workers, 0, 1000),
		Rate:     problems.Integer("rate", c.Rate, 0, 1_000_000),
	}
	if c.Duration != "" {
		plan.Duration = problems.Wait("duration", c.Duration)
	}
	c.checkTogether(problems, plan)
	if plan.Waiting > 0 {
		plan.Workload = bench.Waiting
	}
	if plan.Workload == bench.Hot {
		plan.Products = 1
	}
	return plan, problems.Err()
}

// checkTogether finds flags that do not go together.
func (c *benchCommand) checkTogether(problems *config.Problems, plan bench.Plan) {
	if plan.Waiting > 0 && c.Workload != bench.Uniform {
		problems.Say("--waiting takes the place of --workload %s: give one of them", c.Workload)
	}
	if c.Lines != "" && c.Workload != bench.Storm {
		problems.Say("--lines is for --workload storm")
	}
	switch {
	case plan.Rate > 0 && plan.Duration == 0:
		problems.Say("--rate needs a --duration, such as 30s")
	case plan.Rate > 0 && c.Commands != "":
		problems.Say("--commands is for a backlog: with --rate, that and --duration say how many")
	case plan.Rate == 0 && c.Duration != "":
		problems.Say("--duration needs a --rate, in commands a second")
	case plan.Rate == 0 && c.Workload == bench.Storm:
		problems.Say("--workload storm needs a --rate for the commands on other products, and a --duration")
	}
}
