-- +goose Up

-- Whoever refuses a command because a product or a batch does not exist relies on rows that cannot be locked. Checking their absence is not
-- enough: A finds x absent and makes y, B makes x, C sees B's and finds y absent, because A has not committed. Then A comes before B, B before C,
-- and C before A. So who makes something and who relies on an absence wait for each other, by locks on this table: of makers any number may go on
-- at once, and so of those who rely. It is locked before the products, and has no rows.
create table absences (never boolean check (false));

-- As before; `makes` says that the caller makes batches. Workers of the version before do not say so: they may.
drop function save_products(text[], bigint[], bigint[], bigint[], integer[], bigint[], text[]);
-- +goose StatementBegin
create function save_products(skus text[], olds bigint[], news bigint[], waitings bigint[], sources integer[], rows bigint[], absent_refs text[],
    makes boolean default true)
returns void language plpgsql as $$
declare
    seen   integer;
    relies boolean := coalesce(cardinality(absent_refs), 0) > 0;
begin
    if not relies then
        select coalesce(bool_or(v.old = 0 and v.new = 0), false) into relies from unnest(olds, news) v (old, new);
    end if;
    if relies and makes then
        lock table absences in share row exclusive mode;
    elsif relies then
        lock table absences in share mode;
    elsif makes then
        lock table absences in row exclusive mode;
    end if;

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

grant update on absences to allocation_worker; -- what it takes to lock it

-- +goose Down
drop function save_products;
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
drop table absences;
