-- +goose Up

-- While anybody has an old snapshot, dead versions of rows are not cleaned. Each version that is written to another page leaves an entry of its
-- key in the index, and a unique index looks at all entries of a key before it takes one more. So products and batches are unique by key and
-- generation, which is another one once the row has left the page where its generation began. That a key has one row is kept by tables whose rows
-- are never rewritten: product_keys and batch_keys, which triggers write.
create table product_keys (
    sku text collate "C" primary key
);
create table batch_keys (
    ref text collate "C" primary key
);
insert into product_keys select sku from products;
insert into batch_keys select ref from batches;

alter table products
    add column generation bigint not null default 0,
    add column page_end   tid not null default '(0,65535)', -- of the page where the generation began
    drop constraint products_pkey;
alter table products
    add primary key (sku, generation) with (deduplicate_items = off);
alter table batches
    add column generation bigint not null default 0,
    add column page_end   tid not null default '(0,65535)',
    drop constraint batches_pkey;
alter table batches
    add primary key (ref, generation) with (deduplicate_items = off);

-- The end of the page of a place.
create function page_end(place tid) returns tid language sql immutable
return format('(%s,65535)', ((place::text)::point)[0]::bigint)::tid;

-- +goose StatementBegin
create function keep_product_keys() returns trigger language plpgsql as $$
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
create function keep_batch_keys() returns trigger language plpgsql as $$
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

grant insert on product_keys, batch_keys to allocation_worker;

-- As before; both begin another generation where the row is on another page.
-- +goose StatementBegin
create or replace function save_products(skus text[], olds bigint[], news bigint[], waitings bigint[], sources integer[], rows bigint[], absent_refs text[],
    makes boolean default true)
returns void language plpgsql set plan_cache_mode = force_generic_plan set enable_bitmapscan = off as $$
declare
    places tid[];
    seen   integer;
    misses boolean := coalesce(0 = any(olds), false);
    relies boolean := coalesce(cardinality(absent_refs), 0) > 0;
begin
    if misses and not relies then
        select coalesce(bool_or(v.old = 0 and v.new = 0), false) into relies from unnest(olds, news) v (old, new);
    end if;
    if relies and makes then
        lock table absences in share row exclusive mode;
    elsif relies then
        lock table absences in share mode;
    elsif makes then
        lock table absences in row exclusive mode;
    end if;

    select array_agg(at.place order by v.n), count(at.place) into places, seen
    from (select * from unnest(skus, olds) with ordinality v (sku, old, n) order by v.sku collate "C") v
    left join lateral (
        select p.ctid as place from products p where p.sku >= v.sku and p.sku <= v.sku and p.version = v.old
        order by p.sku desc limit 1 for no key update) at on true;
    if misses then
        seen := seen + (select count(*) from unnest(skus, olds) v (sku, old) where v.old = 0 and not exists (select from products p where p.sku = v.sku));
    end if;
    perform expect_count(seen, cardinality(skus), 'products are');

    update products p set version = v.new, waiting = v.waiting, last_source = v.source, last_row = v.row_no,
        generation = p.generation + (v.place > p.page_end)::integer,
        page_end = case when v.place > p.page_end then page_end(v.place) else p.page_end end
    from unnest(skus, olds, news, waitings, sources, rows, places) v (sku, old, new, waiting, source, row_no, place)
    where p.ctid = v.place and v.old > 0 and v.new > v.old;

    if misses then
        insert into products (sku, version, waiting, last_source, last_row)
        select v.sku, v.new, v.waiting, v.source, v.row_no
        from unnest(skus, olds, news, waitings, sources, rows) v (sku, old, new, waiting, source, row_no)
        where v.old = 0 and v.new > 0
        order by v.sku;
    end if;

    if cardinality(absent_refs) > 0 then
        select count(*) into seen from batches where ref = any(absent_refs);
        perform expect_count(seen, 0, 'absent batches are');
    end if;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create or replace function save_batches(refs text[], qtys bigint[], allocs bigint[], etas text[], revisions bigint[], changes text[])
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
-- +goose StatementBegin
create or replace function save_products(skus text[], olds bigint[], news bigint[], waitings bigint[], sources integer[], rows bigint[], absent_refs text[],
    makes boolean default true)
returns void language plpgsql set plan_cache_mode = force_generic_plan set enable_bitmapscan = off as $$
declare
    places tid[];
    seen   integer;
    misses boolean := coalesce(0 = any(olds), false);
    relies boolean := coalesce(cardinality(absent_refs), 0) > 0;
begin
    if misses and not relies then
        select coalesce(bool_or(v.old = 0 and v.new = 0), false) into relies from unnest(olds, news) v (old, new);
    end if;
    if relies and makes then
        lock table absences in share row exclusive mode;
    elsif relies then
        lock table absences in share mode;
    elsif makes then
        lock table absences in row exclusive mode;
    end if;

    select array_agg(at.place order by v.n), count(at.place) into places, seen
    from (select * from unnest(skus, olds) with ordinality v (sku, old, n) order by v.sku collate "C") v
    left join lateral (
        select p.ctid as place from products p where p.sku >= v.sku and p.sku <= v.sku and p.version = v.old
        order by p.sku desc limit 1 for no key update) at on true;
    if misses then
        seen := seen + (select count(*) from unnest(skus, olds) v (sku, old) where v.old = 0 and not exists (select from products p where p.sku = v.sku));
    end if;
    perform expect_count(seen, cardinality(skus), 'products are');

    update products p set version = v.new, waiting = v.waiting, last_source = v.source, last_row = v.row_no
    from unnest(skus, olds, news, waitings, sources, rows, places) v (sku, old, new, waiting, source, row_no, place)
    where p.ctid = v.place and v.old > 0 and v.new > v.old;

    if misses then
        insert into products (sku, version, waiting, last_source, last_row)
        select v.sku, v.new, v.waiting, v.source, v.row_no
        from unnest(skus, olds, news, waitings, sources, rows) v (sku, old, new, waiting, source, row_no)
        where v.old = 0 and v.new > 0
        order by v.sku;
    end if;

    if cardinality(absent_refs) > 0 then
        select count(*) into seen from batches where ref = any(absent_refs);
        perform expect_count(seen, 0, 'absent batches are');
    end if;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create or replace function save_batches(refs text[], qtys bigint[], allocs bigint[], etas text[], revisions bigint[], changes text[])
returns void language plpgsql set plan_cache_mode = force_generic_plan set enable_bitmapscan = off as $$
declare
    updated integer;
begin
    update batches b
    set qty = v.qty, allocated = v.allocated, eta = nullif(v.eta, '')::date, revision = nullif(v.revision, -1), last_change = nullif(v.last_change, '')
    from unnest(refs, qtys, allocs, etas, revisions, changes) v (ref, qty, allocated, eta, revision, last_change)
    cross join lateral (select p.ctid as place from batches p where p.ref >= v.ref and p.ref <= v.ref order by p.ref desc limit 1) at
    where b.ctid = at.place;

    get diagnostics updated = row_count;
    perform expect_count(updated, cardinality(refs), 'batches updated');
end $$;
-- +goose StatementEnd
drop trigger products_made on products;
drop trigger products_gone on products;
drop trigger products_emptied on products;
drop trigger batches_made on batches;
drop trigger batches_gone on batches;
drop trigger batches_emptied on batches;
drop function keep_product_keys, keep_batch_keys, page_end;
alter table products drop constraint products_pkey, drop column generation, drop column page_end;
alter table products add primary key (sku) with (deduplicate_items = off);
alter table batches drop constraint batches_pkey, drop column generation, drop column page_end;
alter table batches add primary key (ref) with (deduplicate_items = off);
drop table product_keys, batch_keys;
