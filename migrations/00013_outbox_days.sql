-- +goose Up

-- Which day it is for the outbox: by the server's clock, in UTC. Nobody else's clock decides which days are made or dropped.
-- +goose StatementBegin
create or replace function outbox_today()
returns date language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select (now() at time zone 'utc')::date;
$$;
-- +goose StatementEnd

-- The days that rows can be written to. A day whose table is being detached takes none.
-- +goose StatementBegin
create or replace function outbox_days()
returns setof date language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select to_date(right(c.relname, 8), 'YYYYMMDD') from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.outbox'::regclass and not i.inhdetachpending;
$$;
-- +goose StatementEnd

-- For how many days after today there is a table, without a gap; -1 where today has none.
-- +goose StatementBegin
create or replace function outbox_days_ahead()
returns integer language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select coalesce(max(n), 0)::integer - 1 from (
        select d, row_number() over (order by d) as n from public.outbox_days() d where d >= public.outbox_today()) days
    where d - public.outbox_today() = n - 1;
$$;
-- +goose StatementEnd

-- As before, and a table that was detached is attached again.
-- +goose StatementBegin
create or replace function outbox_make_days(ahead integer)
returns void language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
declare
    today   date := public.outbox_today();
    d       date;
    name    text;
    pending boolean;
begin
    perform pg_advisory_xact_lock(hashtext('allocation outbox maintenance'));
    for d in select generate_series(today - 1, today + ahead, interval '1 day')::date loop
        name := 'outbox_' || to_char(d, 'YYYYMMDD');
        select inhdetachpending into pending from pg_inherits
        where inhparent = 'public.outbox'::regclass and inhrelid = to_regclass('public.' || name);
        continue when not pending;
        if pending then
            execute format('alter table public.outbox detach partition public.%I finalize', name);
        elsif to_regclass('public.' || name) is null then
            execute format('create table public.%I (like public.outbox including all)', name);
        end if;
        execute format('alter table public.outbox attach partition public.%I for values from (%L) to (%L)', name, d, d + 1);
    end loop;
end $$;
-- +goose StatementEnd

-- Drops the oldest day that is before `oldest` and whose rows are all published; says which, or null where none is left to drop. Whatever
-- `oldest` is, yesterday, today and later days stay. One day a call, because each needs a short exclusive lock. It looks without the lock first, so
-- that a day that must stay makes nobody wait, and again with the lock: only then nobody else can still write to the day.
-- +goose StatementBegin
create or replace function outbox_drop_day(oldest date)
returns text language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '200ms' as $$
declare
    look        text := 'select exists (select from public.positions p where exists
        (select from public.%I o where o.source = p.source and o.row_no >= p.published_row))';
    d           date;
    name        text;
    unpublished boolean;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'outbox_drop_day needs read committed: in a transaction that is %, it cannot see what was committed while it waited for its lock',
            current_setting('transaction_isolation') using errcode = 'invalid_transaction_state';
    end if;
    perform pg_advisory_xact_lock(hashtext('allocation outbox maintenance'));
    for d in select day from public.outbox_days() day where day < least(oldest, public.outbox_today() - 1) order by day loop
        name := 'outbox_' || to_char(d, 'YYYYMMDD');
        execute format(look, name) into unpublished;
        continue when unpublished;
        lock table only public.outbox in access exclusive mode;
        execute format('lock table public.%I in access exclusive mode', name);
        execute format(look, name) into unpublished;
        if not unpublished then
            execute format('drop table public.%I', name);
        end if;
        return case when unpublished then null else name end;
    end loop;
    return null;
end $$;
-- +goose StatementEnd

revoke execute on function outbox_today, outbox_days, outbox_days_ahead from public;
grant execute on function outbox_days_ahead, outbox_today, outbox_days to allocation_worker;

-- +goose Down
-- outbox_make_days and outbox_drop_day stay as they are: workers of the version before call them in the same way. So does what they need.
drop function outbox_days_ahead;
