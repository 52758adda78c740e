-- +goose Up

-- A dead letter may come by another partition than the one whose row publishes it: a command that waited behind a held product is applied by
-- the owner of the partition that held it.
alter table dead_letters
    drop constraint dead_letters_state_check,
    add constraint dead_letters_state_check check (state in (
        'open',                             -- nobody decided yet
        'retrying', 'discarding',           -- an operator decided, and the partition's owner has not done it yet
        'retried', 'discarded')),           -- done
    add column command_source integer,                       -- the partition that the command came by, where it is not source
    add column retries        integer not null default 0,    -- how often an operator had it applied again before
    add column first_event    integer not null default 0,    -- the number of its next event, within the command
    add column attempts       integer not null default 0;    -- to do what was decided: high where it ends its worker
create index dead_letters_by_command on dead_letters (coalesce(command_source, source), command_offset);
create index dead_letters_unresolved on dead_letters (recorded_at, source, row_no) where state in ('open', 'retrying', 'discarding');
create index dead_letters_decided on dead_letters (source, row_no) where state in ('retrying', 'discarding');

-- A row with a type that begins with dlq- tells of an operator's decision on a dead letter.
alter table outbox
    add column command_source integer,       -- the partition that the command came by, where it is not source
    add column letter_source  integer,       -- the dead letter that was decided on
    add column letter_row     bigint;

-- The batch that a held command would make: who asks for it must wait, too.
alter table held_keys
    add column ref      text collate "C",
    add column attempts integer not null default 0;          -- to apply what waits: high where it ends its worker
create index held_keys_by_letter on held_keys (source, row_no);
create index held_keys_by_ref on held_keys (ref) where ref is not null;

-- Commands of a held product, in the order in which they came. The key frees only when none is left: the foreign key makes sure that nothing
-- begins to wait behind a key that was freed meanwhile.
create table held_commands (
    seq            bigint generated always as identity primary key,
    key            text collate "C" not null references held_keys,
    command_source integer not null,                         -- the partition that it came by
    command_offset bigint not null,
    command_time   bigint,                                   -- the record's timestamp, in Unix milliseconds
    first_event    integer not null default 0,
    retries        integer not null default 0,                -- how often an operator had it applied again before
    ref            text collate "C",                         -- the batch that it would make
    record_key     bytea,                                    -- null where the record had none; so for the value
    value          bytea,
    headers        bytea not null,                           -- as in dead_letters
    held_at        timestamptz not null default now()
);
create index held_commands_in_order on held_commands (key, seq);
create index held_commands_by_ref on held_commands (ref) where ref is not null;
create index held_commands_by_command on held_commands (command_source, command_offset);

-- A record that ends its worker leaves no error behind. So where a position did not move between two claims, a worker says which records it
-- is about to apply, and finds what its predecessors said.
alter table positions
    add column trial_from bigint,
    add column trial_to   bigint,
    add column trials     integer not null default 0;

-- Begins to apply the records from `first` up to `last`. Answers how often just this was begun before and never ended, and how far the largest
-- trial went that began here. `forget` says that earlier ones did end, with an error.
-- +goose StatementBegin
create function begin_trial(id integer, claim uuid, first bigint, last bigint, forget boolean)
returns table (earlier integer, reached bigint) language plpgsql as $$
declare
    p positions;
begin
    select * into p from positions where source = id and token = claim for no key update;
    if not found then
        raise exception 'fenced: another worker claimed the partition' using errcode = 'AL001', detail = id::text;
    end if;
    if forget or p.trial_from is distinct from first then
        p.trials := 0;
        p.trial_to := null;
    end if;
    reached := p.trial_to;
    earlier := case when p.trial_to = last then p.trials else 0 end;
    update positions set trial_from = first, trial_to = last, trials = earlier + 1 where source = id;
    return next;
end $$;
-- +goose StatementEnd

grant select, insert, delete on held_commands to allocation_worker;
grant update (state, attempts, first_event, resolved_at) on dead_letters to allocation_worker;
grant update (source, row_no, ref, attempts, held_at), delete on held_keys to allocation_worker;

-- +goose Down
drop function begin_trial;
alter table positions drop column trial_from, drop column trial_to, drop column trials;
drop table held_commands;
drop index held_keys_by_ref, held_keys_by_letter;
alter table held_keys drop column ref, drop column attempts;
revoke update, delete on held_keys from allocation_worker;
alter table outbox drop column command_source, drop column letter_source, drop column letter_row;
drop index dead_letters_decided, dead_letters_unresolved, dead_letters_by_command;
update dead_letters set state = 'open' where state in ('retrying', 'discarding');
revoke update on dead_letters from allocation_worker;
alter table dead_letters
    drop constraint dead_letters_state_check,
    add constraint dead_letters_state_check check (state in ('open', 'retried', 'discarded')),
    drop column command_source, drop column retries, drop column first_event, drop column attempts;
