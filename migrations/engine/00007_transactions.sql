-- +goose Up

-- What transactions did, a row for each partition that one moved: of any record it tells that it
-- was applied, when, and under which claim, also where that had no effect. Rows are never updated,
-- and a day of them is dropped with that of the outbox.
--
-- Offsets of a source only grow, but for a decision of an operator to go back. That counts
-- `replays` up, so that with it an offset has one row.
create table transactions (
    source       integer not null,                               -- positions.source
    replays      integer not null,                               -- positions.replays
    from_offset  bigint not null,                                -- the first record that it applied
    to_offset    bigint not null,                                -- the next one; the same: it applied what was parked
    from_row     bigint not null,                                -- its first outbox row
    to_row       bigint not null,                                -- the next one; the same: it had no effect
    epoch        bigint not null,                                -- of the claim: see claims
    committed_at timestamptz not null default clock_timestamp(), -- just before it did
    day          date not null default (now() at time zone 'utc')::date
) partition by range (day);
create index transactions_by_offset on transactions (source, replays, from_offset) where to_offset > from_offset;
create index transactions_of_parked on transactions (source, from_row) where to_offset = from_offset;

-- Who claimed sources, and when.
create table claims (
    source     integer not null,
    epoch      bigint not null,
    owner      text not null,
    claimed_at timestamptz not null,
    primary key (source, epoch)
);

-- A transaction keeps the token of its claim. It acts for the owner, so that nobody else writes
-- what is kept.
-- +goose StatementBegin
create function keep_transactions() returns trigger language plpgsql security definer set search_path from current as $$
begin
    insert into transactions (source, replays, from_offset, to_offset, from_row, to_row, epoch)
    select p.source, p.replays, o.next_offset, p.next_offset, o.next_row, p.next_row, p.epoch
    from updated p join old o on o.source = p.source
    where p.token = o.token and (p.next_offset > o.next_offset or p.next_row > o.next_row);

    insert into claims select p.source, p.epoch, p.owner, p.claimed_at
    from updated p join old o on o.source = p.source
    where p.token <> o.token and p.claimed_at is distinct from o.claimed_at and p.owner is not null
    on conflict do nothing;
    return null;
end $$;
-- +goose StatementEnd
revoke execute on function keep_transactions from public;

-- From here on, functions look after the days of both tables. They do so of the outbox alone where
-- this migration is undone.

-- For how many days after today there are tables, without a gap; -1 where today lacks one.
-- +goose StatementBegin
create or replace function outbox_days_ahead()
returns integer language sql stable set search_path from current as $$
    select coalesce(max(n), 0)::integer - 1 from (
        select d, row_number() over (order by d) as n from outbox_days() d
        where d >= outbox_today() and (to_regclass('transactions') is null or exists (
            select from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = to_regclass('transactions') and not i.inhdetachpending and c.relname = 'transactions_' || to_char(d, 'YYYYMMDD')))) days
    where d - outbox_today() = n - 1;
$$;
-- +goose StatementEnd

-- Makes the days from yesterday to `ahead` days from now, and attaches again what was detached.
-- Attaching a table made before takes no lock that blocks writers or readers. Nobody but the owner
-- may use a day by its own name, whatever default privileges give to others: rows go through
-- the whole table.
-- +goose StatementBegin
create or replace function outbox_make_days(ahead integer)
returns void language plpgsql security definer set search_path from current set lock_timeout = '2s' as $$
declare
    today   date := outbox_today();
    whole   text;
    d       date;
    name    text;
    pending boolean;
    grantee text;
begin
    perform pg_advisory_xact_lock(hashtext(current_schema() || ' outbox maintenance'));
    for whole, d in
        select t, day::date from unnest(array['transactions', 'outbox']) t, generate_series(today - 1, today + ahead, interval '1 day') day
        where to_regclass(t) is not null order by day, t
    loop
        name := format('%I.%I', current_schema(), whole || '_' || to_char(d, 'YYYYMMDD'));
        select inhdetachpending into pending from pg_inherits where inhparent = whole::regclass and inhrelid = to_regclass(name);
        continue when not pending;
        if pending then
            execute format('alter table %I detach partition %s finalize', whole, name);
        elsif to_regclass(name) is null then
            execute format('create table %s (like %I including all)', name, whole);
        end if;
        for grantee in
            select distinct case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
            from pg_class c, aclexplode(c.relacl) a where c.oid = to_regclass(name) and a.grantee <> c.relowner
        loop
            execute format('revoke all on table %s from %s cascade', name, grantee);
        end loop;
        execute format('alter table %I attach partition %s for values from (%L) to (%L)', whole, name, d, d + 1);
    end loop;
end $$;
-- +goose StatementEnd

-- Drops the oldest day that is before `oldest` and whose rows are all published; says which, or
-- null where none is left to drop. Whatever `oldest` is, yesterday, today and later days stay. One
-- day a call, because each needs a short exclusive lock. It looks without the lock first, so that
-- a day that must stay makes nobody wait, and again with the lock: only then nobody else can still
-- write to the day. The day's transactions go with it, and claims that were over before.
-- +goose StatementBegin
create or replace function outbox_drop_day(oldest date)
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
        if unpublished then
            return null;
        end if;
        execute format('drop table %I.%I', current_schema(), name);
        if to_regclass('transactions') is not null then
            execute format('drop table if exists %I.%I', current_schema(), 'transactions_' || to_char(d, 'YYYYMMDD'));
            execute 'delete from claims c where exists (
                select from claims later where later.source = c.source and later.epoch > c.epoch and later.claimed_at < $1)' using d;
        end if;
        if to_regclass('unparked_commands') is not null then
            execute 'delete from unparked_commands where unparked_at < $1' using d;
        end if;
        return name;
    end loop;
    return null;
end $$;
-- +goose StatementEnd

select outbox_make_days(14);

-- Last, because workers wait from here until the commit. Claims of before are copied once nobody
-- can claim any more without its being kept.
create trigger positions_moved after update on positions referencing old table as old new table as updated
for each statement execute function keep_transactions();
insert into claims select source, epoch, owner, claimed_at from positions where owner is not null and claimed_at is not null;

-- +goose Down
drop trigger positions_moved on positions;
drop function keep_transactions;
drop table transactions, claims;
