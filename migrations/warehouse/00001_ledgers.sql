-- +goose Up

-- What is kept of an article, or of a customer whose orders are sent: see domain/warehouse.
create table ledgers (
    key         text collate "C" primary key, -- the SKU, or the customer
    state       jsonb not null,
    version     bigint not null, -- of the key's last event
    last_source integer not null,
    last_row    bigint not null,
    last_day    integer not null,
    changes     bigint not null, -- how often the row was written
    article     boolean not null generated always as (state ? 'last') stored
) with (fillfactor = 70);
create index ledgers_of_articles on ledgers (key) where article;

-- The batches of which something is left, of one article or (null) of all. A batch adds up with that
-- of stock of the same reference:
--
--   received - lost_at(told, revision) = qty + what was dispatched of it
--
-- where qty and revision are those that stock has; qty is what is free and what is allocated. Where
-- stock's version of the product is `fact`, what was dispatched is `shipped`.
-- +goose StatementBegin
create function ledger_batches(of_sku text)
returns table (sku text, ref text, received bigint, lost bigint, shipped bigint, picked bigint, eta date, arrived boolean, told jsonb, fact bigint)
language sql stable
begin atomic
    select l.key, b.ref, b.received, b.lost, b.shipped, b.picked, b.eta, b.arrived, b.told, coalesce((l.state->>'fact')::bigint, 0)
    from ledgers l
    cross join lateral jsonb_to_recordset(l.state->'batches') as b (
        ref text, received bigint, lost bigint, shipped bigint, picked bigint, eta date, arrived boolean, told jsonb)
    where l.article and (of_sku is null or l.key = of_sku);
end;
-- +goose StatementEnd

-- What was lost as a revision (null: none) was told, by what a batch has in `told`; null where that
-- was too long ago.
create function lost_at(told jsonb, at_revision bigint) returns bigint language sql immutable
return (select t.lost from jsonb_to_recordset(told) t (revision bigint, lost bigint)
        where t.revision <= coalesce(at_revision, -1) order by t.revision desc limit 1);

-- +goose Down
drop function ledger_batches, lost_at;
drop table ledgers;
