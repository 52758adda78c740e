-- +goose Up

-- Where a batch's history begins: the outbox row of its last event. Null where that is not known.
alter table batches add column last_source integer, add column last_row bigint, add column last_day date;

-- When a line was accepted. Null where that was before this column.
alter table lines add column placed_at timestamptz;
alter table lines alter column placed_at set default now();

-- As before, and keeps where the history of each batch begins.
-- +goose StatementBegin
create function save_batches(refs text[], qtys bigint[], allocs bigint[], etas text[], revisions bigint[], changes text[], sources integer[], rows bigint[], days integer[])
returns void language plpgsql set plan_cache_mode = force_generic_plan set enable_bitmapscan = off as $$
declare
    updated integer;
begin
    update batches b
    set qty = v.qty, allocated = v.allocated, eta = nullif(v.eta, '')::date, revision = nullif(v.revision, -1), last_change = nullif(v.last_change, ''),
        last_source = nullif(v.source, 0), last_row = case when v.source > 0 then v.row_no end, last_day = case when v.source > 0 then date '2000-01-01' + v.day end,
        generation = b.generation + (at.place > b.page_end)::integer,
        page_end = case when at.place > b.page_end then page_end(at.place) else b.page_end end
    from unnest(refs, qtys, allocs, etas, revisions, $6, sources, rows, days) v (ref, qty, allocated, eta, revision, last_change, source, row_no, day)
    cross join lateral (select p.ctid as place from batches p where p.ref >= v.ref and p.ref <= v.ref order by p.ref desc limit 1) at
    where b.ctid = at.place;

    get diagnostics updated = row_count;
    perform expect_count(updated, cardinality(refs), 'batches updated');
end $$;
-- +goose StatementEnd

-- +goose Down
drop function save_batches(text[], bigint[], bigint[], text[], bigint[], text[], integer[], bigint[], integer[]);
alter table lines drop column placed_at;
alter table batches drop column last_source, drop column last_row, drop column last_day;
