package service

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/topics"
	"allocation/migrations"
	"allocation/store"
)

// awaitServers returns when Postgres and Kafka answer and are set up for this worker. It waits for
// servers that are away, because everything may be started at once, and gives up at once on what no
// waiting mends. Once it runs, a worker waits for everything.
func (p *Process) awaitServers(ctx context.Context, db *store.Store) error {
	for _, check := range []func(context.Context) error{db.CheckPooler, db.CheckRights, db.CheckSchema} {
		if err := p.await(ctx, systemPostgres, check); err != nil {
			return err
		}
	}
	ask := func(ctx context.Context) (err error) {
		p.cluster, err = p.askKafka(ctx)
		return err
	}
	if err := p.await(ctx, systemKafka, ask); err != nil {
		return err
	}
	return p.await(ctx, systemPostgres, func(ctx context.Context) error { return db.CheckCluster(ctx, p.cluster, p.settings.Group.ID) })
}

const (
	awaitFirst = 200 * time.Millisecond
	awaitMost  = 5 * time.Second

	// topicsSpread is how long a topic may be missing that was just made: brokers hear of it one
	// after the other.
	topicsSpread = 5 * time.Second
)

// await calls ask until it succeeds, or with an error that is there to stay.
func (p *Process) await(ctx context.Context, system string, ask func(context.Context) error) error {
	began := time.Now()
	for wait := awaitFirst; ; wait = min(2*wait, awaitMost) {
		attempt, cancel := cli.ForAnswer(ctx)
		err := ask(attempt)
		if err != nil {
			err = p.explain(system, cli.CauseOf(attempt, err))
		}
		cancel()
		if err == nil || permanent(err, time.Since(began)) {
			return err
		}
		p.readiness.starting(fmt.Sprintf("%s: %v", system, err))
		p.logger.Warn("waiting for "+system, "error", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait/2 + rand.N(wait)):
		}
	}
}

// askKafka finds out the cluster's id, whether the topics are there, and whether commands are lost
// on them.
func (p *Process) askKafka(ctx context.Context) (cluster string, err error) {
	if err := cli.ReachAny(ctx, p.settings.Kafka, p.dial); err != nil {
		return "", err
	}
	client, err := kgo.NewClient(p.kafkaOptions()...)
	if err != nil {
		return "", err
	}
	defer client.Close()
	cluster, asked, err := p.askTopics(ctx, client)
	if err != nil {
		return "", err
	}
	if err := p.checkRights(ctx, client, asked); err != nil {
		return "", err
	}
	if err := checkGroupKind(ctx, client, p.settings.Group.ID); err != nil {
		return "", err
	}
	if err := checkTopics(asked); err != nil {
		return "", err
	}
	found, err := p.inspector(client).Inspect(ctx)
	if err != nil {
		return "", err
	}
	p.topicWatch.take(found)
	return cluster, topics.LosesCommands(found)
}

// permanent reports whether an error that was met for so long says that something is set up
// wrongly, rather than away.
func permanent(err error, waited time.Duration) bool {
	var (
		pooler  *store.PoolerError
		rights  *store.RightsError
		schema  *store.SchemaError
		cluster *store.ClusterError
		missing *cli.MissingTopicsError
		setup   cli.SetupError
		access  *config.AccessError
	)
	switch {
	case migrations.Unfit(err), errors.As(err, &pooler), errors.As(err, &rights), errors.As(err, &schema), errors.As(err, &cluster), errors.As(err, &access), errors.As(err, &setup):
		return true
	case errors.As(err, &missing):
		return waited > topicsSpread
	}
	return false
}
