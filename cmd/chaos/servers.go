package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"allocation/deploy/testbed/kafka"
	"allocation/deploy/testbed/proxy"
	"allocation/deploy/testbed/standby"
)

// start starts the servers, and makes what is in them.
func (c *campaign) start(ctx context.Context) error {
	var starting errgroup.Group
	starting.Go(func() error { return c.build(ctx) })
	starting.Go(func() error { return c.startKafka(ctx) })
	starting.Go(func() error { return c.startPostgres(ctx) })
	if err := starting.Wait(); err != nil {
		return err
	}
	return errors.Join(c.makeTopics(ctx), c.makeTables(ctx))
}

// build builds the program that is tormented, with the faults that it can be told to have.
func (c *campaign) build(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", c.program, "allocation/cmd/allocation/e2e/faulty").CombinedOutput(); err != nil {
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
		own, err := proxy.New()
		if err != nil {
			return errors.Join(err, way.Close())
		}
		c.brokerWays, c.ownWays = append(c.brokerWays, way), append(c.ownWays, own)
		advertised = append(advertised, way.Addr()+","+own.Addr())
	}
	var err error
	if c.cluster, err = kafka.OpenCluster(ctx, c.dir, advertised); err != nil {
		return err
	}
	for n := range brokers {
		c.brokerWays[n].Lead(c.cluster.Back(n)[0])
		c.ownWays[n].Lead(c.cluster.Back(n)[1])
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
	c.pair, err = standby.Open(ctx, dir, map[string]string{"track_commit_timestamp": "on"}) // see auditQueries
	return err
}

// Partitions at the beginning.
const (
	commandPartitions  = 6
	quantityPartitions = 3
)

// makeTopics keeps each topic three times, but for the one of quantities: where a broker is away,
// some of its partitions have no leader.
func (c *campaign) makeTopics(ctx context.Context) error {
	for topic, partitions := range map[string]int32{commandTopic: commandPartitions, quantityTopic: quantityPartitions, eventTopic: 6, letterTopic: 3} {
		settings, copies := map[string]*string{"retention.ms": kadm.StringPtr("-1")}, int16(3)
		if topic == quantityTopic {
			settings["min.insync.replicas"], copies = kadm.StringPtr("1"), 1
		}
		if _, err := c.admin.CreateTopic(ctx, partitions, copies, settings, topic); err != nil {
			return fmt.Errorf("make topic %s: %w", topic, err)
		}
	}
	return nil
}

// makeTables brings the database up to date, and makes a user for workers, who is not the owner.
// The faults' locks are another's.
func (c *campaign) makeTables(ctx context.Context) error {
	if err := c.execute(ctx, "postgres", "create database "+database); err != nil {
		return err
	}
	migrate := exec.CommandContext(ctx, c.program, "migrate", "up")
	migrate.Env = append(os.Environ(), "DATABASE_URL="+c.pair.URL("postgres", database))
	if out, err := migrate.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w\n%s", err, out)
	}
	return c.execute(ctx, database, "create role worker login in role allocation_worker; create table public.elsewhere (n bigint)")
}
