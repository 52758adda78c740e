-- +goose Up

-- Everything of a customer changes only together with the customer's row, whose version tells
-- whether what a decision read is still so. So orders and lines need no locks and no foreign keys.
create table customers (
    id          text collate "C" primary key,
    version     bigint not null check (version >= 1),  -- counts the changes of the customer, their orders and lines
    sequence    bigint not null check (sequence >= 0), -- of their last event
    placed      bigint not null check (placed >= 0),   -- how many orders they placed
    last_source integer not null,                      -- the outbox row of what was published last: the next is published after it
    last_row    bigint not null,
    last_day    integer not null
) with (fillfactor = 70);

create type order_phase as enum ('cart', 'placed', 'ready', 'dispatched', 'cancelled', 'expired');

create table orders (
    id        text collate "C" primary key,
    phase     order_phase not null,
    counts_from timestamptz, -- when the time began to count after which something of a cart expires; null: nothing does
    placed_at timestamptz    -- the time of the command that placed it; null: it was not
) with (fillfactor = 70);
create index orders_carts on orders (counts_from, id) where phase = 'cart' and counts_from is not null;
create index orders_placed on orders (placed_at, id) where phase = 'placed';

create type order_line_state as enum ('requested', 'waiting', 'reserved', 'dispatched', 'removed', 'rejected');

create table order_lines (
    order_id    text collate "C" not null,
    line_id     text collate "C" not null,
    n           integer not null check (n >= 1), -- lines are in the order of it
    sku         text collate "C" not null,
    qty         bigint not null check (qty >= 1),
    state       order_line_state not null,
    batch       text collate "C",
    fact        bigint not null check (fact >= 0), -- the sequence of the last fact that was applied; 0: none was
    added_at    timestamptz not null,
    reserved_at timestamptz, -- since it had a batch first; null: it never had one
    primary key (order_id, line_id),
    check ((batch is not null) = (state in ('reserved', 'dispatched')))
) with (fillfactor = 70);
create index order_lines_of_batch on order_lines (batch, order_id) where state = 'reserved';

-- What is known of the batches of stock. Each batch of a reserved line has a row, so that a fact
-- about the line and one about the batch meet there.
create table stock_batches (
    ref     text collate "C" primary key,
    sku     text collate "C" not null,
    arrived boolean not null,
    fact    bigint not null check (fact >= 0) -- the sequence of the last fact that was applied; 0: none was
) with (fillfactor = 70);

-- Checks and locks the customers that decisions read, and writes their new versions, or raises
-- AL002 (conflict). A customer is given with the version that was read (0: there was none) and the
-- new one (the same where nothing changed).
-- +goose StatementBegin
create function save_customers(ids text[], olds bigint[], news bigint[], sequences bigint[], placeds bigint[], sources integer[], rows bigint[], days integer[])
returns void language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    places tid[];
    seen   integer;
begin
    -- By the index, one after the other, whatever was known of the table when this was planned.
    select array_agg(at.place order by v.n), count(at.place) into places, seen
    from (select * from unnest(ids, olds) with ordinality v (id, old, n) order by v.id collate "C") v
    left join lateral (
        select c.ctid as place from customers c where c.id >= v.id and c.id <= v.id and c.version = v.old
        order by c.id desc limit 1 for no key update) at on true;
    seen := seen + (select count(*) from unnest(ids, olds) v (id, old) where v.old = 0 and not exists (select from customers c where c.id = v.id));
    perform expect_count(seen, cardinality(ids), 'customers as they were read');

    update customers c set version = v.new, sequence = v.sequence, placed = v.placed, last_source = v.source, last_row = v.row_no, last_day = v.day
    from unnest(olds, news, sequences, placeds, sources, rows, days, places) v (old, new, sequence, placed, source, row_no, day, place)
    where c.ctid = v.place and v.old > 0 and v.new > v.old;

    insert into customers (id, version, sequence, placed, last_source, last_row, last_day)
    select v.id, v.new, v.sequence, v.placed, v.source, v.row_no, v.day
    from unnest(ids, olds, news, sequences, placeds, sources, rows, days) v (id, old, new, sequence, placed, source, row_no, day)
    where v.old = 0 and v.new > 0 order by v.id;
end $$;
-- +goose StatementEnd

-- Checks and locks the batches that decisions read, and writes what changed, or raises AL002. A
-- batch is given with the fact that was read (-1: there was no row) and whether it changed. Who
-- changes a batch waits for those who rely on it, and they for who changes it: whoever reads after
-- that which lines are on the batch finds all that did not know of the change.
-- +goose StatementBegin
create function save_batches(refs text[], skus text[], arriveds boolean[], olds bigint[], facts bigint[], changes boolean[])
returns void language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    places tid[];
    seen   integer;
begin
    if true = any(changes) then
        select array_agg(at.place order by v.n), count(at.place) into places, seen
        from (select * from unnest(refs, olds) with ordinality v (ref, old, n) order by v.ref collate "C") v
        left join lateral (
            select b.ctid as place from stock_batches b where b.ref >= v.ref and b.ref <= v.ref and b.fact = v.old
            order by b.ref desc limit 1 for no key update) at on true;
    else
        select count(at.place) into seen
        from (select * from unnest(refs, olds) v (ref, old) order by v.ref collate "C") v
        cross join lateral (
            select b.ctid as place from stock_batches b where b.ref >= v.ref and b.ref <= v.ref and b.fact = v.old
            order by b.ref desc limit 1 for share) at;
    end if;
    perform expect_count(seen, (select count(*) from unnest(olds) old where old >= 0), 'batches as they were read');

    update stock_batches b set arrived = v.arrived, fact = v.fact
    from unnest(arriveds, olds, facts, changes, places) v (arrived, old, fact, changed, place)
    where b.ctid = v.place and v.changed and v.old >= 0;

    insert into stock_batches (ref, sku, arrived, fact)
    select v.ref, v.sku, v.arrived, v.fact from unnest(refs, skus, arriveds, olds, facts) v (ref, sku, arrived, old, fact)
    where v.old < 0 order by v.ref;
end $$;
-- +goose StatementEnd

-- Writes orders whose customers are locked.
-- +goose StatementBegin
create function save_orders(ids text[], phases text[], froms timestamptz[], placed timestamptz[])
returns void language sql as $$
insert into orders (id, phase, counts_from, placed_at)
select v.id, v.phase::order_phase, v.counts, v.placed from unnest(ids, phases, froms, placed) v (id, phase, counts, placed)
on conflict (id) do update set phase = excluded.phase, counts_from = excluded.counts_from, placed_at = excluded.placed_at;
$$;
-- +goose StatementEnd

-- Writes lines of orders whose customers are locked.
-- +goose StatementBegin
create function save_order_lines(orders text[], ids text[], ns integer[], skus text[], qtys bigint[], states text[], batches text[], facts bigint[],
    addeds timestamptz[], reserveds timestamptz[])
returns void language sql as $$
insert into order_lines (order_id, line_id, n, sku, qty, state, batch, fact, added_at, reserved_at)
select v.order_id, v.id, v.n, v.sku, v.qty, v.state::order_line_state, nullif(v.batch, ''), v.fact, v.added, v.reserved
from unnest(orders, ids, ns, skus, qtys, states, batches, facts, addeds, reserveds) v (order_id, id, n, sku, qty, state, batch, fact, added, reserved)
on conflict (order_id, line_id) do update set state = excluded.state, batch = excluded.batch, fact = excluded.fact, reserved_at = excluded.reserved_at;
$$;
-- +goose StatementEnd

-- +goose Down
drop function save_order_lines, save_orders, save_batches, save_customers;
drop table stock_batches, order_lines, orders, customers;
drop type order_line_state, order_phase;
