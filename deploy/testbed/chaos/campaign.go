package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed/kafka"
	"allocation/deploy/testbed/proxy"
	"allocation/deploy/testbed/standby"
)

// campaign is everything that is tormented, and those who watch.
type campaign struct {
	options
	dir     string
	began   time.Time
	program string // the worker's

	disk       *disk
	noDisk     error // why there is no small disk
	cluster    *kafka.Cluster
	brokerWays []*proxy.Proxy // between workers and each broker
	pair       *standby.Pair
	admin      *kadm.Client

	load    *load
	herd    *herd
	journal *journal
	monitor *monitor

	printing sync.Mutex
}

// What the campaign's servers hold.
const (
	database      = "allocation"
	commandTopic  = "commands"
	quantityTopic = "quantities" // bare records there are ChangeBatchQuantity
	eventTopic    = "events"
	letterTopic   = "letters"
	group         = "allocation"
)

// newCampaign starts the servers and makes what is in them.
func newCampaign(ctx context.Context, o options, dir string) (*campaign, error) {
	c := &campaign{options: o, dir: dir, began: time.Now(), program: filepath.Join(dir, "allocation")}
	if c.logs == "" {
		c.logs = filepath.Join(dir, "logs")
	}
	c.journal = newJournal(c)
	c.say("seed %d: again with %s", o.seed, o.again())
	if err := errors.Join(os.MkdirAll(c.logs, 0o755), c.start(ctx)); err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.herd, c.monitor, c.load = newHerd(c), newMonitor(c), newLoad(c)
	return c, nil
}

func (c *campaign) start(ctx context.Context) error {
	var starting sync.WaitGroup
	var errs [3]error
	starting.Go(func() { errs[0] = c.build(ctx) })
	starting.Go(func() { errs[1] = c.startKafka(ctx) })
	starting.Go(func() { errs[2] = c.startPostgres(ctx) })
	starting.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	return errors.Join(c.makeTopics(ctx), c.makeTables(ctx))
}

// build builds the program that is tormented, with the faults that it can be told to have.
func (c *campaign) build(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-tags", "faults", "-o", c.program, "allocation/cmd/allocation").CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return nil
}

func (c *campaign) startKafka(ctx context.Context) error {
	const brokers = 3
	var advertised []string
	for range brokers {
		way, err := proxy.New()
		if err != nil {
			return err
		}
		c.brokerWays, advertised = append(c.brokerWays, way), append(advertised, way.Addr())
	}
	var err error
	if c.cluster, err = kafka.OpenCluster(ctx, c.dir, advertised, nil); err != nil {
		return err
	}
	for n, way := range c.brokerWays {
		way.Lead(c.cluster.Back()[n])
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.cluster.Brokers()...), kgo.MetadataMinAge(100*time.Millisecond))
	if err == nil {
		c.admin = kadm.NewClient(client)
	}
	return err
}

func (c *campaign) startPostgres(ctx context.Context) error {
	dir := filepath.Join(c.dir, "disk")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if c.disk, c.noDisk = newDisk(dir, c.options.disk); c.noDisk != nil {
		c.say("NO FULL DISK in this campaign: %v", c.noDisk)
	}
	var err error
	c.pair, err = standby.Open(ctx, dir, nil)
	return err
}

// Partitions at the beginning.
const (
	commandPartitions  = 6
	quantityPartitions = 3
)

func (c *campaign) makeTopics(ctx context.Context) error {
	for topic, partitions := range map[string]int32{commandTopic: commandPartitions, quantityTopic: quantityPartitions, eventTopic: 6, letterTopic: 3} {
		settings := map[string]*string{"retention.ms": kadm.StringPtr("-1")}
		if _, err := c.admin.CreateTopic(ctx, partitions, 3, settings, topic); err != nil {
			return fmt.Errorf("make topic %s: %w", topic, err)
		}
	}
	return nil
}

// makeTables brings the database up to date, and makes a user for workers, who is not the owner. The faults' locks are another's.
func (c *campaign) makeTables(ctx context.Context) error {
	if err := c.execute(ctx, "postgres", "create database "+database); err != nil {
		return err
	}
	migrate := exec.CommandContext(ctx, c.program, "migrate", "up")
	migrate.Env = append(os.Environ(), "DATABASE_URL="+c.pair.URL("postgres", database))
	if out, err := migrate.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w\n%s", err, out)
	}
	return c.execute(ctx, database, "create role worker login in role allocation_worker; create table elsewhere (n bigint)")
}

// execute has the primary do something.
func (c *campaign) execute(ctx context.Context, database, sql string) error {
	conn, err := pgx.Connect(ctx, c.pair.URL("postgres", database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}

// ask has the primary answer a question with one value.
func (c *campaign) ask(ctx context.Context, answer any, sql string) error {
	conn, err := pgx.Connect(ctx, c.pair.URL("postgres", database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return conn.QueryRow(ctx, sql).Scan(answer)
}

// environment is what workers are told, and operators' commands.
func (c *campaign) environment(name string) []string {
	var brokers []string
	for _, way := range c.brokerWays {
		brokers = append(brokers, way.Addr())
	}
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"KAFKA_BROKERS=" + strings.Join(brokers, ","), "KAFKA_GROUP_ID=" + group, "KAFKA_SESSION_TIMEOUT=" + c.session.String(),
		"DATABASE_URL=" + c.pair.ProxiedURL("worker", database, url.Values{"application_name": {name}}),
		"COMMAND_TOPICS=" + commandTopic + "," + quantityTopic + "=ChangeBatchQuantity", "EVENTS_TOPIC=" + eventTopic, "DEAD_LETTER_TOPIC=" + letterTopic,
		"HTTP_ADDR=127.0.0.1:0", "LOG_FORMAT=text",
	}
}

// run torments the system for the given time, lets it recover, and has it checked. Its error says what was found.
func (c *campaign) run(ctx context.Context) error {
	err := c.torment(ctx)
	if err == nil {
		err = c.settle(ctx)
	}
	var summary *summary
	if err == nil {
		summary, err = c.check(ctx)
	}
	if summary != nil {
		err = errors.Join(err, summary.publish(c))
	}
	return errors.Join(err, c.journal.err(), c.close())
}

// torment runs load, faults and workers together.
func (c *campaign) torment(ctx context.Context) error {
	for range leastWorkers {
		if err := c.herd.start(); err != nil {
			return err
		}
	}
	watching, stopWatching := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { c.monitor.run(watching) })
	defer watch.Wait()
	defer stopWatching()

	loading, stopLoading := context.WithTimeout(ctx, c.duration)
	defer stopLoading()
	var loads sync.WaitGroup
	loads.Go(func() { c.load.run(loading) })
	err := newEngine(c).run(loading)
	stopLoading()
	loads.Wait()
	return errors.Join(err, ctx.Err())
}

func (c *campaign) close() error {
	var err error
	if c.load != nil {
		c.load.close()
	}
	if c.herd != nil {
		c.herd.killAll()
	}
	if c.admin != nil {
		c.admin.Close()
	}
	if c.cluster != nil {
		err = errors.Join(err, c.cluster.Close())
	}
	for _, way := range c.brokerWays {
		err = errors.Join(err, way.Close())
	}
	if c.pair != nil {
		err = errors.Join(err, c.pair.Close())
	}
	return err
}

// say tells people what happens.
func (c *campaign) say(format string, args ...any) {
	c.printing.Lock()
	defer c.printing.Unlock()
	fmt.Fprintf(os.Stdout, "%7.1fs  %s\n", time.Since(c.began).Seconds(), fmt.Sprintf(format, args...))
}

// rest lets time pass; false when the context ended first.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
