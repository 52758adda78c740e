-- +goose Up

-- As before, and nobody but the owner may use a day by its own name, whatever default privileges give to others: rows go through outbox.
-- +goose StatementBegin
create or replace function outbox_make_days(ahead integer)
returns void language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
declare
    today    date := public.outbox_today();
    d        date;
    name     text;
    pending  boolean;
    stranger text;
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
        for stranger in
            select distinct case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
            from pg_class c, aclexplode(c.relacl) a where c.oid = to_regclass('public.' || name) and a.grantee <> c.relowner
        loop
            execute format('revoke all on table public.%I from %s cascade', name, stranger);
        end loop;
        execute format('alter table public.outbox attach partition public.%I for values from (%L) to (%L)', name, d, d + 1);
    end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
-- outbox_make_days stays as it is: workers of the version before call it in the same way.
