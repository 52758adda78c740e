package main

import (
	"context"
	"fmt"

	"allocation/cmd/compare/contest"
)

const schema = `
create table n_positions(partition int primary key, next_offset bigint not null);
create table n_batches(ref text primary key, sku text not null, qty bigint not null, allocated bigint not null, version bigint not null, eta date);
create index on n_batches(sku, eta nulls first, ref);
create table n_lines(order_id text, sku text, qty bigint not null, batch_ref text not null, primary key(order_id, sku));
create table n_outbox(id bigint generated always as identity primary key, key text not null, type text not null, event_id text not null, payload bytea not null, created_at timestamptz not null default now());
`

func setup(ctx context.Context, settings contest.Settings) error {
	positions := fmt.Sprintf("insert into n_positions select g, 0 from generate_series(0, %d) g", settings.Partitions-1)
	return settings.Prepare(ctx, schema+positions, "n_batches")
}
