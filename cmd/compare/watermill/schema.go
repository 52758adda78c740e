package main

import (
	"context"

	"github.com/ThreeDotsLabs/watermill"

	"allocation/cmd/compare/contest"
)

const schema = `
create table w_batches(ref text primary key, sku text not null, qty bigint not null, allocated bigint not null, version bigint not null, eta date);
create index on w_batches(sku, eta nulls first, ref);
create table w_lines(order_id text, sku text, qty bigint not null, batch_ref text not null, primary key(order_id, sku));
`

// setup makes the tables, and has Watermill make its own.
func setup(ctx context.Context, settings contest.Settings) error {
	pool, err := openPool(ctx, settings)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := settings.Prepare(ctx, schema, "w_batches"); err != nil {
		return err
	}
	subscriber, err := newOutboxSubscriber(pool, watermill.NopLogger{})
	if err != nil {
		return err
	}
	for i := range *shards {
		if err := subscriber.SubscribeInitialize(outboxTopic(i)); err != nil {
			return err
		}
	}
	return subscriber.Close()
}
