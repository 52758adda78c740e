package main

import (
	"fmt"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-sql/v4/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/components/forwarder"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/jackc/pgx/v5/pgxpool"
)

// outboxTopic is the outbox of a shard. Products do not have commands in two partitions, so one
// shard has all events of a product, in order.
func outboxTopic(shard int) string { return fmt.Sprintf("outbox_%d", shard) }

func schemaAdapter() sql.SchemaAdapter {
	if *queue {
		return sql.PostgreSQLQueueSchema{}
	}
	return sql.DefaultPostgreSQLSchema{}
}

func offsetsAdapter() sql.OffsetsAdapter {
	if *queue {
		return sql.PostgreSQLQueueOffsetsAdapter{DeleteOnAck: true}
	}
	return sql.DefaultPostgreSQLOffsetsAdapter{}
}

func newOutboxSubscriber(pool *pgxpool.Pool, logger watermill.LoggerAdapter) (*sql.Subscriber, error) {
	return sql.NewSubscriber(sql.BeginnerFromPgx(pool), sql.SubscriberConfig{
		SchemaAdapter: schemaAdapter(), OffsetsAdapter: offsetsAdapter(), PollInterval: *pollInterval,
	}, logger)
}

func newForwarder(shard int, pool *pgxpool.Pool, publisher message.Publisher, logger watermill.LoggerAdapter) (*forwarder.Forwarder, error) {
	subscriber, err := newOutboxSubscriber(pool, logger)
	if err != nil {
		return nil, err
	}
	return forwarder.NewForwarder(subscriber, publisher, logger, forwarder.Config{ForwarderTopic: outboxTopic(shard)})
}
