-- +goose Up

-- While anybody has an old snapshot, dead versions of rows are not cleaned, and each page that a row's versions have filled leaves an entry of its
-- key in the index. So a row is looked up once, from the newest entry backwards, which the range is for (by `=`, an index is always read forwards),
-- and then written at the place that was found: it is locked, so it stays there. Backwards, entries that share one tuple of the index would come
-- in the wrong order. A page with few rows has room for many versions: each time that a row moves to another page, all entries of its key are looked
-- at, since the key is unique. Plans are made once: for few rows, the planner would rather make one each time, which takes longer than what it plans;
-- and without bitmaps, which take all entries.
alter table positions set (fillfactor = 10);
alter index positions_pkey set (deduplicate_items = off);
alter index products_pkey set (deduplicate_items = off);
alter index batches_pkey set (deduplicate_items = off);

-- As before, but in one look: see above.
-- +goose StatementBegin
create or replace function move_positions(sources integer[], tokens uuid[], from_offsets bigint[], to_offsets bigint[], from_rows bigint[], to_rows bigint[], published_rows bigint[],
    leader_epochs integer[] default null)
returns void language plpgsql set plan_cache_mode = force_generic_plan set enable_bitmapscan = off as $$
declare
    places tid[];
    moved  integer;
    lost   text;
begin
    select array_agg(at.place order by asked.n) into places
    from (select * from unnest(sources) with ordinality s (source, n) order by s.source) asked
    left join lateral (
        select p.ctid as place from positions p where p.source >= asked.source and p.source <= asked.source
        order by p.source desc limit 1 for no key update) at on true;

    update positions p
    set next_offset = m.to_offset, next_row = m.to_row, published_row = greatest(p.published_row, m.published_row),
        leader_epoch = case when m.to_offset > m.from_offset then coalesce(m.leader_epoch, -1) else p.leader_epoch end,
        attempts = case when m.to_offset > m.from_offset then 0 else p.attempts end, moved_at = now()
    from unnest(sources, tokens, from_offsets, to_offsets, from_rows, to_rows, published_rows, leader_epochs, places)
         m (source, token, from_offset, to_offset, from_row, to_row, published_row, leader_epoch, place)
    where p.ctid = m.place and p.token = m.token and p.next_offset = m.from_offset and p.next_row = m.from_row;

    get diagnostics moved = row_count;
    if moved <> cardinality(sources) then
        select string_agg(m.source::text, ',') into lost
        from unnest(sources, tokens, from_offsets, to_offsets) m (source, token, from_offset, to_offset)
        where not exists (select from positions p where p.source = m.source and p.token = m.token and p.next_offset = m.to_offset);
        raise exception 'fenced: another worker claimed the partition, or its position is not where this worker left it'
            using errcode = 'AL001', detail = coalesce(lost, array_to_string(sources, ','));
    end if;
end $$;
-- +goose StatementEnd

-- As before, in one look.
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

-- As before, in one look.
-- +goose StatementBegin
create or replace function lines_to_release(batch text, shrink_to bigint)
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

-- Writes batches whose products are locked.
-- +goose StatementBegin
create function save_batches(refs text[], qtys bigint[], allocs bigint[], etas text[], revisions bigint[], changes text[])
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

-- +goose Down
drop function save_batches;
alter table positions set (fillfactor = 50);
alter index positions_pkey reset (deduplicate_items);
alter index products_pkey reset (deduplicate_items);
alter index batches_pkey reset (deduplicate_items);
-- +goose StatementBegin
create or replace function move_positions(sources integer[], tokens uuid[], from_offsets bigint[], to_offsets bigint[], from_rows bigint[], to_rows bigint[], published_rows bigint[],
    leader_epochs integer[] default null)
returns void language plpgsql as $$
declare
    moved integer;
    lost  text;
begin
    perform from positions where source = any(sources) order by source for no key update;

    update positions p
    set next_offset = m.to_offset, next_row = m.to_row, published_row = greatest(p.published_row, m.published_row),
        leader_epoch = case when m.to_offset > m.from_offset then coalesce(m.leader_epoch, -1) else p.leader_epoch end,
        attempts = case when m.to_offset > m.from_offset then 0 else p.attempts end, moved_at = now()
    from unnest(sources, tokens, from_offsets, to_offsets, from_rows, to_rows, published_rows, leader_epochs)
         m (source, token, from_offset, to_offset, from_row, to_row, published_row, leader_epoch)
    where p.source = m.source and p.token = m.token and p.next_offset = m.from_offset and p.next_row = m.from_row;

    get diagnostics moved = row_count;
    if moved <> cardinality(sources) then
        select string_agg(m.source::text, ',') into lost
        from unnest(sources, tokens, from_offsets, to_offsets) m (source, token, from_offset, to_offset)
        where not exists (select from positions p where p.source = m.source and p.token = m.token and p.next_offset = m.to_offset);
        raise exception 'fenced: another worker claimed the partition, or its position is not where this worker left it'
            using errcode = 'AL001', detail = coalesce(lost, array_to_string(sources, ','));
    end if;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
create or replace function save_products(skus text[], olds bigint[], news bigint[], waitings bigint[], sources integer[], rows bigint[], absent_refs text[],
    makes boolean default true)
returns void language plpgsql as $$
declare
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

    select count(*) into seen from (
        select from unnest(skus, olds) v (sku, old) join products p on p.sku = v.sku and p.version = v.old
        order by p.sku for no key update of p) locked;
    if misses then
        seen := seen + (select count(*) from unnest(skus, olds) v (sku, old) where v.old = 0 and not exists (select from products p where p.sku = v.sku));
    end if;
    perform expect_count(seen, cardinality(skus), 'products are');

    update products p set version = v.new, waiting = v.waiting, last_source = v.source, last_row = v.row_no
    from unnest(skus, olds, news, waitings, sources, rows) v (sku, old, new, waiting, source, row_no)
    where p.sku = v.sku and v.old > 0 and v.new > v.old;

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
create or replace function lines_to_release(batch text, shrink_to bigint)
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
