-- +goose NO TRANSACTION
-- +goose Up

-- Made while workers write. An index that could not be ended is made again.
set lock_timeout = '10min';
drop index concurrently if exists dead_letters_by_id;
create index concurrently dead_letters_by_id on dead_letters (command_id) where command_id is not null;
drop index concurrently if exists dead_letters_by_correlation;
create index concurrently dead_letters_by_correlation on dead_letters (correlation_id) where correlation_id is not null;
drop index concurrently if exists dead_letters_by_subject;
create index concurrently dead_letters_by_subject on dead_letters (subject) where subject is not null;
drop index concurrently if exists dead_letters_about_nothing;
create index concurrently dead_letters_about_nothing on dead_letters (source, row_no) where subject is null and state <> 'retried';
drop index concurrently if exists held_commands_by_id;
create index concurrently held_commands_by_id on held_commands (command_id) where command_id is not null;
drop index concurrently if exists held_commands_by_correlation;
create index concurrently held_commands_by_correlation on held_commands (correlation_id) where correlation_id is not null;
drop index concurrently if exists held_commands_by_subject;
create index concurrently held_commands_by_subject on held_commands (subject) where subject is not null;
drop index concurrently if exists held_commands_about_nothing;
create index concurrently held_commands_about_nothing on held_commands (seq) where subject is null;
reset lock_timeout;

-- Makes what finds the events of a day by the id and the correlation of their commands, once
-- nobody writes to the day any more: of the last day that lacks it. Says which, or null where none
-- does. One at a time does this: it takes long.
-- +goose StatementBegin
create or replace function outbox_index_day()
returns text language plpgsql security definer set search_path from current set lock_timeout = '200ms' as $$
declare
    d    date;
    name text;
begin
    if not pg_try_advisory_xact_lock(hashtext(current_schema() || ' outbox index')) then
        return null;
    end if;
    for d in
        select day from outbox_days() day where day < outbox_today() - (now() at time zone 'utc' < outbox_today() + time '01:00')::integer order by day desc
    loop
        name := 'outbox_' || to_char(d, 'YYYYMMDD');
        continue when to_regclass(format('%I.%I', current_schema(), name || '_by_correlation')) is not null;
        execute format('create index if not exists %I on %I (command_id) where command_id is not null', name || '_by_id', name);
        execute format('create index %I on %I (correlation_id) where correlation_id is not null', name || '_by_correlation', name);
        return name;
    end loop;
    return null;
end $$;
-- +goose StatementEnd
revoke execute on function outbox_index_day from public;

-- +goose Down
drop function outbox_index_day;
drop index dead_letters_by_id, dead_letters_by_correlation, dead_letters_by_subject, dead_letters_about_nothing,
    held_commands_by_id, held_commands_by_correlation, held_commands_by_subject, held_commands_about_nothing;
