-- +goose Up

-- As before, but a product is checked and locked in one look, by a join: `sku = any(skus)` compares each product of a small table with each of
-- the array, several times, which took longer than all that follows. A product that another transaction moves meanwhile is looked at again when
-- its lock is got, and then missing from the count.
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

-- +goose Down
-- Nothing: workers of the version before call it in the same way, and it does the same.
select 1;
