package main

import (
	"context"
	"fmt"

	"allocation/cmd/compare/contest"
)

const schema = `
create table f_parts(topic text, partition int, epoch bigint, next_offset bigint, primary key(topic, partition));
create function f_fence(ps int[], froms bigint[], tos bigint[]) returns void language plpgsql as $$
declare n int;
begin
  perform 1 from f_parts where partition = any(ps) order by partition for no key update;
  update f_parts p set next_offset = v.t from unnest(ps, froms, tos) v(p, f, t) where p.partition = v.p and p.epoch = 1 and p.next_offset = v.f;
  get diagnostics n = row_count;
  if n <> cardinality(ps) then raise exception 'fenced'; end if;
end $$;
create function f_save(refs text[], allocs bigint[], olds bigint[], news bigint[]) returns void language plpgsql as $$
declare n int;
begin
  perform 1 from f_batches where ref = any(refs) order by ref for no key update;
  update f_batches b set allocated = v.a, version = v.n from unnest(refs, allocs, olds, news) v(ref, a, o, n) where b.ref = v.ref and b.version = v.o;
  get diagnostics n = row_count;
  if n <> cardinality(refs) then raise exception 'conflict'; end if;
end $$;
create table f_batches(ref text primary key, sku text not null, qty bigint not null, allocated bigint not null, version bigint not null);
create table f_lines(order_id text, line_id text, sku text not null, qty bigint not null, batch_ref text, seq bigint not null, primary key(order_id, line_id));
create table f_outbox(partition int, off bigint, n smallint, key text not null, type text not null, payload bytea not null, created_at timestamptz not null default now(), primary key(partition, off, n));
`

func setup(ctx context.Context, settings contest.Settings) error {
	parts := fmt.Sprintf("insert into f_parts select 'c', g, 1, 0 from generate_series(0, %d) g", contest.Partitions-1)
	return settings.Prepare(ctx, schema+parts, "f_batches")
}
