-- +goose Up

-- What was decided and must be published, in the transaction that decided it. Rows are never
-- updated or deleted one by one: a position says how far a source is published, and whole days are
-- dropped when they are older than the retention and published.
-- There is no default partition: it would block new days and concurrent maintenance. A missing day
-- is an outage, which waits for its repair.
create table outbox (
    source          integer not null,                   -- positions.source
    row_no          bigint not null,                    -- 0, 1, 2, … within the source
    day             date not null default (now() at time zone 'utc')::date,
    command_offset  bigint not null,                    -- the record that caused it, of the source's partition
    event_no        integer not null,                   -- the number of the event within the command
    type            text not null,                      -- of the event; '' for a dead letter, which stands in dead_letters; dlq-… for a decision on one
    key             text not null,                      -- whose events are in order
    record_key      text,                               -- of the Kafka record, where it is not `key`
    subject         text not null,
    sequence        bigint,                             -- the key's version
    value           bytea not null,                     -- the bare JSON data
    command_id      text,                               -- the command's ce_id
    correlation_id  text,                               -- the command's ce_correlationid
    command_time    bigint,                             -- the command record's timestamp, in Unix milliseconds
    traceparent     text,
    tracestate      text,
    after_source    integer,                            -- the row that must be acknowledged before this one, where another source made it
    after_row       bigint,
    previous_source integer,                            -- the previous event of the same thread, such as an order line
    previous_row    bigint,
    previous_day    date,
    command_source  integer,                            -- the partition that the command came by, where it is not source
    letter_source   integer,                            -- the dead letter that was decided on
    letter_row      bigint,
    primary key (source, row_no, day)
) partition by range (day);

-- Which day it is for the outbox: by the server's clock, in UTC. Nobody else's clock decides which
-- days are made or dropped.
-- +goose StatementBegin
create function outbox_today()
returns date language sql stable set search_path from current as $$
    select (now() at time zone 'utc')::date;
$$;
-- +goose StatementEnd

-- The days that rows can be written to. A day whose table is being detached takes none.
-- +goose StatementBegin
create function outbox_days()
returns setof date language sql stable set search_path from current as $$
    select to_date(right(c.relname, 8), 'YYYYMMDD') from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'outbox'::regclass and not i.inhdetachpending;
$$;
-- +goose StatementEnd

-- For how many days after today there is a table, without a gap; -1 where today has none.
-- +goose StatementBegin
create function outbox_days_ahead()
returns integer language sql stable set search_path from current as $$
    select coalesce(max(n), 0)::integer - 1 from (
        select d, row_number() over (order by d) as n from outbox_days() d where d >= outbox_today()) days
    where d - outbox_today() = n - 1;
$$;
-- +goose StatementEnd

-- Makes the days from yesterday to `ahead` days from now, and attaches again what was detached.
-- Attaching a table made before takes no lock that blocks writers or readers. Nobody but the owner
-- may use a day by its own name, whatever default privileges give to others: rows go through
-- outbox.
-- +goose StatementBegin
create function outbox_make_days(ahead integer)
returns void language plpgsql security definer set search_path from current set lock_timeout = '2s' as $$
declare
    today    date := outbox_today();
    d        date;
    name     text;
    pending  boolean;
    grantee text;
begin
    perform pg_advisory_xact_lock(hashtext(current_schema() || ' outbox maintenance'));
    for d in select generate_series(today - 1, today + ahead, interval '1 day')::date loop
        name := format('%I.%I', current_schema(), 'outbox_' || to_char(d, 'YYYYMMDD'));
        select inhdetachpending into pending from pg_inherits where inhparent = 'outbox'::regclass and inhrelid = to_regclass(name);
        continue when not pending;
        if pending then
            execute format('alter table outbox detach partition %s finalize', name);
        elsif to_regclass(name) is null then
            execute format('create table %s (like outbox including all)', name);
        end if;
        for grantee in
            select distinct case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
            from pg_class c, aclexplode(c.relacl) a where c.oid = to_regclass(name) and a.grantee <> c.relowner
        loop
            execute format('revoke all on table %s from %s cascade', name, grantee);
        end loop;
        execute format('alter table outbox attach partition %s for values from (%L) to (%L)', name, d, d + 1);
    end loop;
end $$;
-- +goose StatementEnd

-- Drops the oldest day that is before `oldest` and whose rows are all published; says which, or
-- null where none is left to drop. Whatever `oldest` is, yesterday, today and later days stay. One
-- day a call, because each needs a short exclusive lock. It looks without the lock first, so that
-- a day that must stay makes nobody wait, and again with the lock: only then nobody else can still
-- write to the day.
-- +goose StatementBegin
create function outbox_drop_day(oldest date)
returns text language plpgsql security definer set search_path from current set lock_timeout = '200ms' as $$
declare
    look        text := 'select exists (select from positions p where exists
        (select from %I.%I o where o.source = p.source and o.row_no >= p.published_row))';
    d           date;
    name        text;
    unpublished boolean;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'outbox_drop_day needs read committed: in a transaction that is %, it cannot see what was committed while it waited for its lock',
            current_setting('transaction_isolation') using errcode = 'invalid_transaction_state';
    end if;
    perform pg_advisory_xact_lock(hashtext(current_schema() || ' outbox maintenance'));
    for d in select day from outbox_days() day where day < least(oldest, outbox_today() - 1) order by day loop
        name := 'outbox_' || to_char(d, 'YYYYMMDD');
        execute format(look, current_schema(), name) into unpublished;
        continue when unpublished;
        lock table only outbox in access exclusive mode;
        execute format('lock table %I.%I in access exclusive mode', current_schema(), name);
        execute format(look, current_schema(), name) into unpublished;
        if not unpublished then
            execute format('drop table %I.%I', current_schema(), name);
        end if;
        return case when unpublished then null else name end;
    end loop;
    return null;
end $$;
-- +goose StatementEnd

revoke execute on function outbox_make_days, outbox_drop_day, outbox_today, outbox_days, outbox_days_ahead from public;
select outbox_make_days(14);

-- +goose Down
drop function outbox_drop_day, outbox_make_days, outbox_days_ahead, outbox_days, outbox_today;
drop table outbox;
