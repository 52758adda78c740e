-- +goose Up

-- Events of stock about lines that no command has added yet: a database that lost commits reads
-- commands and events again, and they come by different partitions. What is here changes only with
-- its customer's row. What nobody wants for 48 h is not this service's.
create table early_facts (
    order_id text collate "C" not null,
    sku      text collate "C" not null,
    line_id  text collate "C" not null,
    kind     text not null,
    sequence bigint not null,
    batch    text collate "C" not null, -- empty: it names none
    reason   text not null,
    at       bigint,                    -- of its record, in Unix milliseconds; null: it has no time
    asked    boolean not null,          -- a command of this service led to it
    kept_at  timestamptz not null default now(),
    primary key (order_id, sku, line_id, sequence, kind)
);
create index early_facts_by_time on early_facts (kept_at);

-- Writes what is kept of orders whose customers are locked.
-- +goose StatementBegin
create function save_early_facts(changed text[], orders text[], skus text[], lines text[], kinds text[], sequences bigint[], batches text[], reasons text[],
    ats bigint[], askeds boolean[])
returns void language sql as $$
delete from early_facts where order_id = any(changed);
delete from early_facts where ctid in (select ctid from early_facts where kept_at < now() - interval '48 hours' order by kept_at limit 100 for update skip locked);
insert into early_facts (order_id, sku, line_id, kind, sequence, batch, reason, at, asked)
select v.* from unnest(orders, skus, lines, kinds, sequences, batches, reasons, ats, askeds) v;
$$;
-- +goose StatementEnd

-- +goose Down
drop function save_early_facts;
drop table early_facts;
