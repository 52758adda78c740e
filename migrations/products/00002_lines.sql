-- +goose Up

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

-- The last placed lines of a batch, until what stays allocated is at most `shrink_to`. It stops
-- there, however many lines the batch has.
-- +goose StatementBegin
create function lines_to_release(batch text, shrink_to bigint)
returns setof lines language plpgsql stable as $$
declare
    rest bigint;
    l    lines;
begin
    select allocated - shrink_to into rest from batches where ref >= batch and ref <= batch order by ref desc limit 1;
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

-- For each quantity that waits for a product, up to `reach`, the first `per_qty` lines in placed
-- order. It steps from one quantity to the next by the index, so lines too large or too late cost
-- nothing.
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

-- +goose Down
drop function lines_that_wait, lines_to_release;
drop table lines;
drop type line_state;
