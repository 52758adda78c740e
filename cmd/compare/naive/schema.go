package main

import (
	"context"

	"github.com/jackc/pgx/v5"

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
	conn, err := pgx.Connect(ctx, settings.Database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, schema); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `insert into n_positions select g, 0 from generate_series(0, $1::int - 1) g`, settings.Partitions); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `insert into n_batches`+contest.Batches, settings.Products)
	return err
}
