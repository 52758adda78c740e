-- +goose Up

-- Commands are found by their id, their correlation and what they are about.
alter table dead_letters
    add column command_id     text,        -- the command's ce_id
    add column correlation_id text,        -- the command's ce_correlationid
    add column subject        text;        -- what the command is about, such as an order; null where that could not be told
alter table held_commands
    add column command_id     text,
    add column correlation_id text,
    add column subject        text;

-- Commands that waited behind a held key, and wait no longer. Whoever applied one may have had no
-- event to write.
create table unparked_commands (
    command_source integer not null,                                -- the partition that it came by
    command_offset bigint not null,
    key            text collate "C" not null,
    held_at        timestamptz not null,
    unparked_at    timestamptz not null default clock_timestamp(),  -- in the transaction that applied it
    source         integer                                          -- whose transaction that was
);
create index unparked_commands_by_command on unparked_commands (command_source, command_offset);
create index unparked_commands_by_age on unparked_commands (unparked_at);

-- +goose StatementBegin
create function keep_unparked() returns trigger language plpgsql security definer set search_path from current as $$
begin
    insert into unparked_commands (command_source, command_offset, key, held_at, source)
    select g.command_source, g.command_offset, g.key, g.held_at, k.source from gone g left join held_keys k on k.key = g.key;
    return null;
end $$;
-- +goose StatementEnd
revoke execute on function keep_unparked from public;
create trigger held_commands_gone after delete on held_commands referencing old table as gone for each statement execute function keep_unparked();

-- What people who ask why are told, beside what is published. The outbox is the last table that
-- this locks, as it is the last that workers write: the other way round, they would wait for each
-- other.
alter table outbox
    add column key_back    integer,        -- how many rows before this one the key's last event is, where the same source has it; else see after_row
    add column also_source integer,        -- the previous event of a second thread, such as that of a line's batch
    add column also_row    bigint,
    add column also_day    date,
    add column note        text;           -- JSON of the service's own

-- +goose Down
drop trigger held_commands_gone on held_commands;
drop function keep_unparked;
drop table unparked_commands;
alter table held_commands drop column command_id, drop column correlation_id, drop column subject;
alter table dead_letters drop column command_id, drop column correlation_id, drop column subject;
alter table outbox drop column key_back, drop column also_source, drop column also_row, drop column also_day, drop column note;
