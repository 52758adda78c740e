-- +goose Up

-- Keys whose commands wait behind one that failed unexpectedly.
create table held_keys (
    key      text collate "C" primary key,
    source   integer not null,                         -- the dead letter that holds it
    row_no   bigint not null,
    held_at  timestamptz not null default now(),
    creates  text collate "C",                         -- a name that the held command would make: who asks for it must wait, too
    attempts integer not null default 0,               -- to apply what waits: high where it ends its worker
    foreign key (source, row_no) references dead_letters
);
create index held_keys_by_letter on held_keys (source, row_no);
create index held_keys_by_creates on held_keys (creates) where creates is not null;

-- Commands of a held key, in the order in which they came. The key frees only when none is left:
-- the foreign key makes sure that nothing begins to wait behind a key that was freed meanwhile.
create table held_commands (
    seq            bigint generated always as identity primary key,
    key            text collate "C" not null references held_keys,
    command_source integer not null,                   -- the partition that it came by
    command_offset bigint not null,
    command_time   bigint,                             -- the record's timestamp, in Unix milliseconds
    first_event    integer not null default 0,
    retries        integer not null default 0,         -- how often an operator had it applied again before
    creates        text collate "C",                   -- a name that it would make
    record_key     bytea,                              -- null where the record had none; so for the value
    value          bytea,
    headers        bytea not null,                     -- as in dead_letters
    held_at        timestamptz not null default now()
);
create index held_commands_in_order on held_commands (key, seq);
create index held_commands_by_creates on held_commands (creates) where creates is not null;
create index held_commands_by_command on held_commands (command_source, command_offset);

-- Workers remember what they read, and which keys were not held. This raises AL002 (conflict)
-- where one of those keys is held by now; and where the database may not be the one that was read,
-- since versions then count up again, for other events perhaps. A server that was started since
-- may be another one. A database that was dropped and made again, tables that were, and ones that
-- were truncated have another file, and a row that was deleted and loaded was written by another
-- transaction. The service says which of its tables to look at.
-- +goose StatementBegin
create function expect_remembered(started timestamptz, free text[], file text, written xid, of_table text)
returns void language plpgsql as $$
begin
    if started <> pg_postmaster_start_time() or file <> pg_relation_filepath(of_table::regclass)
        or written <> coalesce((select xmin from kafka_cluster), '0') then
        raise exception 'conflict: the server was started, or the database restored, since rows were read' using errcode = 'AL002';
    end if;
    if exists (select from held_keys) and exists (select from held_keys where key = any(free)) then
        raise exception 'conflict: a key is held by now' using errcode = 'AL002';
    end if;
end $$;
-- +goose StatementEnd

-- +goose Down
drop function expect_remembered;
drop table held_commands, held_keys;
