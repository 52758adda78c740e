-- +goose Up

-- The Product aggregate: one row per SKU that ever had a batch. Its row is locked before its
-- batches and lines are written, and its version tells whether what a decision read is still so.
-- Therefore batches and lines have no foreign keys: the lock and the version do their work.
--
-- While anybody has an old snapshot, dead versions of rows are not cleaned. Each version that is
-- written to another page leaves an entry of its key in the index, and a unique index looks at all
-- entries of a key before it takes one more. So products and batches are unique by key and
-- generation, which is another one once the row is on a later page than where its generation began.
-- That a key has one row is kept by tables whose rows are never rewritten: product_keys and
-- batch_keys, which triggers write.
create table products (
    sku         text collate "C" not null,
    version     bigint not null check (version >= 1),    -- the sequence of its last event
    waiting     bigint not null check (waiting >= 0),    -- how many of its lines wait for stock
    last_source integer not null,                        -- the outbox row of its last event: the next one is published after it
    last_row    bigint not null,
    generation  bigint not null default 0,
    page_end    tid not null default '(0,65535)',        -- of the page where the generation began
    primary key (sku, generation) with (deduplicate_items = off)
) with (fillfactor = 70);

create table batches (
    ref         text collate "C" not null,
    sku         text collate "C" not null,
    qty         bigint not null check (qty between 0 and 1000000000),       -- on hand or due, allocated lines included
    allocated   bigint not null default 0,                                  -- the quantities of its allocated lines, added up
    eta         date,                                                       -- null: in the warehouse
    open        boolean not null generated always as (qty > allocated) stored,
    first_qty   bigint not null,                                            -- as created: tells a repeat from a conflict
    first_eta   date,
    revision    bigint check (revision >= 0),                               -- the last that a quantity change brought
    last_change text,                                                       -- ce_id of the last quantity change applied, where it had one
    generation  bigint not null default 0,
    page_end    tid not null default '(0,65535)',
    primary key (ref, generation) with (deduplicate_items = off),
    constraint allocated_within_qty check (allocated between 0 and qty)
) with (fillfactor = 70);
-- Open batches in preference order. `open` changes only when a batch fills up or gets room, so
-- most updates leave the index alone.
create index batches_by_preference on batches (sku, open, eta nulls first, ref);

create table product_keys (
    sku text collate "C" primary key
);
create table batch_keys (
    ref text collate "C" primary key
);

-- +goose StatementBegin
create function keep_product_keys() returns trigger language plpgsql set search_path from current as $$
begin
    if tg_op = 'INSERT' then
        insert into product_keys select sku from made order by sku;
    elsif tg_op = 'DELETE' then
        delete from product_keys k using gone where k.sku = gone.sku;
    else
        delete from product_keys;
    end if;
    return null;
end $$;
-- +goose StatementEnd
create trigger products_made after insert on products referencing new table as made for each statement execute function keep_product_keys();
create trigger products_gone after delete on products referencing old table as gone for each statement execute function keep_product_keys();
create trigger products_emptied after truncate on products for each statement execute function keep_product_keys();

-- +goose StatementBegin
create function keep_batch_keys() returns trigger language plpgsql set search_path from current as $$
begin
    if tg_op = 'INSERT' then
        insert into batch_keys select ref from made order by ref;
    elsif tg_op = 'DELETE' then
        delete from batch_keys k using gone where k.ref = gone.ref;
    else
        delete from batch_keys;
    end if;
    return null;
end $$;
-- +goose StatementEnd
create trigger batches_made after insert on batches referencing new table as made for each statement execute function keep_batch_keys();
create trigger batches_gone after delete on batches referencing old table as gone for each statement execute function keep_batch_keys();
create trigger batches_emptied after truncate on batches for each statement execute function keep_batch_keys();

-- The end of the page of a place.
create function page_end(place tid) returns tid language sql immutable
return format('(%s,65535)', ((place::text)::point)[0]::bigint)::tid;

-- Writes batches whose products are locked, each in one look: see move_positions. It begins
-- another generation where the row is on another page.
-- +goose StatementBegin
create function save_batches(refs text[], qtys bigint[], allocs bigint[], etas text[], revisions bigint[], changes text[])
returns void language plpgsql set plan_cache_mode = force_generic_plan set enable_bitmapscan = off as $$
declare
    updated integer;
begin
    update batches b
    set qty = v.qty, allocated = v.allocated, eta = nullif(v.eta, '')::date, revision = nullif(v.revision, -1), last_change = nullif(v.last_change, ''),
        generation = b.generation + (at.place > b.page_end)::integer,
        page_end = case when at.place > b.page_end then page_end(at.place) else b.page_end end
    from unnest(refs, qtys, allocs, etas, revisions, $6) v (ref, qty, allocated, eta, revision, last_change)
    cross join lateral (select p.ctid as place from batches p where p.ref >= v.ref and p.ref <= v.ref order by p.ref desc limit 1) at
    where b.ctid = at.place;

    get diagnostics updated = row_count;
    perform expect_count(updated, cardinality(refs), 'batches updated');
end $$;
-- +goose StatementEnd

-- +goose Down
drop table products, batches, product_keys, batch_keys;
drop function save_batches, page_end, keep_batch_keys, keep_product_keys;
