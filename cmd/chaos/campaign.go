package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"

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
	ownWays    []*proxy.Proxy // likewise, of one worker alone
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

// connected does something on a connection to a database of the primary.
func (c *campaign) connected(ctx context.Context, database string, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, c.pair.URL("postgres", database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return do(conn)
}

// execute has the primary do something.
func (c *campaign) execute(ctx context.Context, database, sql string) error {
	return c.connected(ctx, database, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql)
		return err
	})
}

// environment is what workers are told, and operators' commands. They reach brokers by ways.
func (c *campaign) environment(name string, ways []*proxy.Proxy) []string {
	var brokers []string
	for _, way := range ways {
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

// run torments the system for the given time, lets it recover, and has it checked. Its error says
// what was found.
func (c *campaign) run(ctx context.Context) error {
	err := c.torment(ctx)
	if err == nil {
		err = c.settle(ctx)
	}
	if err == nil {
		err = c.check(ctx)
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

	loading, stopLoading := context.WithCancel(ctx)
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
	for _, way := range slices.Concat(c.brokerWays, c.ownWays) {
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
