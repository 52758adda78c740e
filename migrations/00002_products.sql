-- +goose Up

-- The Product aggregate: one row per SKU that ever had a batch. Its row is locked before its batches and lines are written, and its version
-- tells whether what a decision read is still so. Therefore batches and lines have no foreign keys: the lock and the version do their work.
create table products (
    sku         text collate "C" primary key,
    version     bigint not null check (version >= 1),  -- the sequence of its last event
    waiting     bigint not null check (waiting >= 0),  -- how many of its lines wait for stock
    last_source integer not null,                      -- the outbox row of its last event: the next one is published after it
    last_row    bigint not null
) with (fillfactor = 70);

create table batches (
    ref         text collate "C" primary key,
    sku         text collate "C" not null,
    qty         bigint not null check (qty between 0 and 1000000000),       -- on hand or due, allocated lines included
    allocated   bigint not null default 0,                                  -- the quantities of its allocated lines, added up
    eta         date,                                                       -- null: in the warehouse
    open        boolean not null generated always as (qty > allocated) stored,
    first_qty   bigint not null,                                            -- as created: tells a repeat from a conflict
    first_eta   date,
    revision    bigint check (revision >= 0),                               -- the last that a quantity change brought
    last_change text,                                                       -- ce_id of the last quantity change applied, where it had one
    constraint allocated_within_qty check (allocated between 0 and qty)
) with (fillfactor = 70);
-- Open batches in preference order. `open` changes only when a batch fills up or gets room, so most updates leave the index alone.
create index batches_by_preference on batches (sku, open, eta nulls first, ref);

create type line_state as enum ('waiting', 'allocated', 'cancelled', 'dispatched');

create table lines (
    orderid     text collate "C" not null,
    sku         text collate "C" not null,
    lineid      text collate "C" not null,             -- empty where the commands had none
    qty         bigint not null check (qty between 1 and 1000000000),
    placed      bigint not null check (placed >= 1),   -- the product's version when the line was accepted: the placed order
    state       line_state not null,
    batchref    text collate "C",                      -- one batch, of an allocated or a dispatched line
    last_source integer not null,                      -- the outbox row of its last event, where its history begins
    last_row    bigint not null,
    last_day    date not null,
    primary key (orderid, sku, lineid),
    check ((batchref is not null) = (state in ('allocated', 'dispatched')))
);
create index lines_of_batch on lines (batchref, placed) where state = 'allocated';
create index lines_waiting on lines (sku, qty, placed) where state = 'waiting';

-- The last placed lines of a batch, until what stays allocated is at most `shrink_to`. It stops there, however many lines the batch has.
-- +goose StatementBegin
create function lines_to_release(batch text, shrink_to bigint)
returns setof lines language plpgsql stable as $$
declare
    rest bigint;
    l    lines;
begin
    select allocated - shrink_to into rest from batches where ref = batch;
    if rest is null or rest <= 0 then
        return;
    end if;
    for l in select * from lines where batchref = batch and state = 'allocated' order by placed desc loop
        return next l;
        rest := rest - l.qty;
        exit when rest <= 0;
    end loop;
end $$;
-- +goose StatementEnd

-- For each quantity that waits for a product, up to `reach`, the first `per_qty` lines in placed order. It steps from one quantity to the next
-- by the index, so lines too large or too late cost nothing.
-- +goose StatementBegin
create function lines_that_wait(product text, reach bigint, per_qty integer)
returns setof lines language plpgsql stable as $$
declare
    q bigint := 0;
begin
    loop
        select min(qty) into q from lines where sku = product and state = 'waiting' and qty > q and qty <= reach;
        exit when q is null;
        return query select * from lines where sku = product and state = 'waiting' and qty = q order by placed limit per_qty;
    end loop;
end $$;
-- +goose StatementEnd

-- Checks and locks everything that decisions read of products, and writes their new versions, or raises AL002 (conflict). A product is
-- given with the version that was read (0: it was absent) and its new one (the same where nothing changed). Absent references must still be so.
-- +goose StatementBegin
create function save_products(skus text[], olds bigint[], news bigint[], waitings bigint[], sources integer[], rows bigint[], absent_refs text[])
returns void language plpgsql as $$
declare
    seen integer;
begin
    perform from products where sku = any(skus) order by sku for no key update;

    select count(*) into seen
    from unnest(skus, olds) v (sku, old) left join products p on p.sku = v.sku
    where coalesce(p.version, 0) = v.old;
    perform expect_count(seen, cardinality(skus), 'products are');

    update products p set version = v.new, waiting = v.waiting, last_source = v.source, last_row = v.row_no
    from unnest(skus, olds, news, waitings, sources, rows) v (sku, old, new, waiting, source, row_no)
    where p.sku = v.sku and v.old > 0 and v.new > v.old;

    insert into products (sku, version, waiting, last_source, last_row)
    select v.sku, v.new, v.waiting, v.source, v.row_no
    from unnest(skus, olds, news, waitings, sources, rows) v (sku, old, new, waiting, source, row_no)
    where v.old = 0 and v.new > 0
    order by v.sku;

    if cardinality(absent_refs) > 0 then
        select count(*) into seen from batches where ref = any(absent_refs);
        perform expect_count(seen, 0, 'absent batches are');
    end if;
end $$;
-- +goose StatementEnd

-- +goose Down
drop function save_products, lines_that_wait, lines_to_release;
drop table lines, batches, products;
drop type line_state;
