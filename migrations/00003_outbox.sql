-- +goose Up

-- What was decided and must be published, in the transaction that decided it. Rows are never updated or deleted one by one: a position says
-- how far a source is published, and whole days are dropped when they are older than the retention and published.
-- There is no default partition: it would block new days and concurrent maintenance. A missing day is an outage, which waits for its repair.
create table outbox (
    source          integer not null,                   -- positions.source
    row_no          bigint not null,                    -- 0, 1, 2, … within the source
    day             date not null default (now() at time zone 'utc')::date,
    format          smallint not null default 1,        -- how the columns become bytes: a repeat is the same from a newer worker too
    command_offset  bigint not null,                    -- the record that caused it, of the source's partition
    event_no        integer not null,                   -- the number of the event within the command
    type            text not null,                      -- 'Allocated', …; '' for a dead letter, which stands in dead_letters
    key             text not null,                      -- the SKU
    subject         text not null,                      -- the order, else the batch
    sequence        bigint,                             -- the product's version
    value           bytea not null,                     -- the bare JSON data
    command_id      text,                               -- the command's ce_id
    correlation_id  text,                               -- the command's ce_correlationid
    command_time    bigint,                             -- the command record's timestamp, in Unix milliseconds
    traceparent     text,
    tracestate      text,
    after_source    integer,                            -- the row that must be acknowledged before this one, where another source made it
    after_row       bigint,
    previous_source integer,                            -- the previous event of the same order line
    previous_row    bigint,
    previous_day    date,
    primary key (source, row_no, day)
) partition by range (day);

-- Makes the days from yesterday to `ahead` days from now. Attaching a table made before takes no lock that blocks writers or readers.
-- +goose StatementBegin
create function outbox_make_days(ahead integer)
returns void language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
declare
    today date := (now() at time zone 'utc')::date;
    d     date;
    name  text;
begin
    perform pg_advisory_xact_lock(hashtext('allocation outbox maintenance'));
    for d in select generate_series(today - 1, today + ahead, interval '1 day')::date loop
        name := 'outbox_' || to_char(d, 'YYYYMMDD');
        if to_regclass('public.' || name) is null then
            execute format('create table public.%I (like public.outbox including all)', name);
            execute format('alter table public.outbox attach partition public.%I for values from (%L) to (%L)', name, d, d + 1);
        end if;
    end loop;
end $$;
-- +goose StatementEnd

-- Drops the oldest day that is before `oldest` and whose rows are all published; says which, or null where none is left to drop. One day a
-- call, because each needs a short exclusive lock.
-- +goose StatementBegin
create function outbox_drop_day(oldest date)
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '500ms' as $$
declare
    name        text;
    unpublished boolean;
begin
    perform pg_advisory_xact_lock(hashtext('allocation outbox maintenance'));
    for name in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'public.outbox'::regclass and c.relname < 'outbox_' || to_char(oldest, 'YYYYMMDD')
        order by c.relname
    loop
        execute format('select exists (select from public.positions p where exists
            (select from public.%I o where o.source = p.source and o.row_no >= p.published_row))', name) into unpublished;
        if not unpublished then
            execute format('drop table public.%I', name);
            return name;
        end if;
    end loop;
    return null;
end $$;
-- +goose StatementEnd

select outbox_make_days(14);

-- +goose Down
drop function outbox_drop_day, outbox_make_days;
drop table outbox;
