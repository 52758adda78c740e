-- +goose Up

-- Whoever refuses a command because a product or a batch does not exist relies on rows that cannot
-- be locked. Checking their absence is not enough: A finds x absent and makes y, B makes x, C sees
-- B's and finds y absent, because A has not committed. Then A comes before B, B before C, and C
-- before A. So who makes something and who relies on an absence wait for each other, by locks on
-- this table: of makers any number may go on at once, and so of those who rely. It is locked
-- before the products, and has no rows.
create table absences (never boolean check (false));

-- Checks and locks everything that decisions read of products, and writes their new versions, or
-- raises AL002 (conflict). A product is given with the version that was read (0: it was absent)
-- and its new one (the same where nothing changed). Absent references must still be so. `makes`
-- says that the caller makes batches.
--
-- A product is checked and locked in one look: see move_positions. One that another transaction
-- moves meanwhile is looked at again when its lock is got, and then missing from the count. It
-- begins another generation where it is on another page.
-- +goose StatementBegin
create function save_products(skus text[], olds bigint[], news bigint[], waitings bigint[], sources integer[], rows bigint[], absent_refs text[],
    makes boolean)
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
    perform expect_count(seen, cardinality(skus), 'products as they were read');

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
        perform expect_count(seen, 0, 'batches that must not exist');
    end if;
end $$;
-- +goose StatementEnd

-- +goose Down
drop function save_products;
drop table absences;
