// Command watermill is what a user of Watermill writes from its documentation: a router with a
// Kafka subscriber, whose handler writes the same rows as the others in one SQL transaction and
// publishes its event to an outbox in that transaction, and a forwarder from the outbox to Kafka.
// Watermill keeps the position in Kafka, so a command may come twice: the line's primary key tells.
//
// Without flags it is as Watermill comes, but for what it must be told: to wait for all replicas'
// acknowledgement (one is its default), to start at the topic's beginning, and to place events by
// key. -shards gives each partition of commands an outbox table and a forwarder of its own, -queue
// makes them tables from which rows are deleted, and -poll-interval is the subscriber's.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"allocation/cmd/compare/contest"
)

var (
	pollInterval = flag.Duration("poll-interval", time.Second, "how often a forwarder looks for rows where it found none")
	shards       = flag.Int("shards", 1, "outbox tables, each with a forwarder")
	queue        = flag.Bool("queue", false, "delete forwarded rows, instead of remembering the last one")
)

func main() { contest.Main(setup, run) }

// run runs the router and the forwarders until the context ends, or one of them fails.
func run(ctx context.Context, settings contest.Settings) error {
	pool, err := openPool(ctx, settings)
	if err != nil {
		return err
	}
	defer pool.Close()
	logger := watermill.NewSlogLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	router, err := newRouter(settings, pool, logger)
	if err != nil {
		return err
	}
	runs := []func(context.Context) error{router.Run}
	publisher, err := newKafkaPublisher(settings, logger)
	if err != nil {
		return err
	}
	defer publisher.Close()
	for i := range *shards {
		forwarder, err := newForwarder(i, pool, publisher, logger)
		if err != nil {
			return err
		}
		runs = append(runs, forwarder.Run)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, run := range runs {
		group.Go(func() error { return run(ctx) })
	}
	return group.Wait()
}

func newRouter(settings contest.Settings, pool *pgxpool.Pool, logger watermill.LoggerAdapter) (*message.Router, error) {
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: 10 * time.Second}, logger)
	if err != nil {
		return nil, err
	}
	router.AddMiddleware(middleware.Recoverer)
	subscriber, err := newKafkaSubscriber(settings, logger)
	if err != nil {
		return nil, err
	}
	h := &handler{pool: pool, events: settings.Events, logger: logger}
	router.AddConsumerHandler("allocate", settings.Commands, subscriber, h.handle)
	return router, nil
}

// openPool gives every partition's handler and every forwarder a connection: both hold one while
// they work.
func openPool(ctx context.Context, settings contest.Settings) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(settings.Database)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(contest.Partitions + *shards + 2)
	return pgxpool.NewWithConfig(ctx, config)
}
