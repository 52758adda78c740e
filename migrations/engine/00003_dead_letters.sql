-- +goose Up

-- Refused and unreadable commands, byte for byte, so that they can be listed, shown, sent again or
-- discarded. Each travels to Kafka by the outbox row of the same source and number.
create table dead_letters (
    source         integer not null,                   -- positions.source
    row_no         bigint not null,
    command_offset bigint not null,                    -- of the record, in the command's partition; of a batch, that of its first record
    command_time   bigint,                             -- the record's timestamp, in Unix milliseconds
    reason         text not null,                      -- a word of the specification
    message        text not null,                      -- a sentence for a person
    type           text,                               -- of the command, where it could be told
    key            text collate "C",                   -- of the command, where it could be told
    record_key     bytea,                              -- null where the record had none; so for the value
    value          bytea,
    headers        bytea not null,                     -- as Kafka encodes them in a record: varint count, then varint length and bytes of each key and value
    state          text not null default 'open' check (state in (
        'open',                                        -- nobody decided yet
        'retrying', 'discarding',                      -- an operator decided, and the partition's owner has not done it yet
        'retried', 'discarded')),                      -- done
    recorded_at    timestamptz not null default now(),
    resolved_at    timestamptz,
    command_source integer,                            -- the partition that the command came by, where it is not source: it waited behind a held key
    retries        integer not null default 0,         -- how often an operator had it applied again before
    first_event    integer not null default 0,         -- the number of its next event, within the command
    attempts       integer not null default 0,         -- to do what was decided: high where it ends its worker

    -- A letter may be about a batch of records that unpacks to more than a worker has room for:
    -- what its header says, and none of its bytes. It may be read again from Kafka when an
    -- operator gives it more room. Its records then take effect some at a time, and each time
    -- moves batch_next.
    batch_last     bigint,                             -- the offset of its last record; null where the letter is about one command
    batch_records  integer,                            -- how many it has
    batch_bytes    integer,                            -- packed
    batch_codec    text,                               -- zstd, …
    batch_room     bigint,                             -- to how many bytes it may unpack
    batch_next     bigint,                             -- the offset up to which its records took effect, or became dead letters; null: none did
    batch_problem  text,                               -- why reading it again ended before its end
    primary key (source, row_no)
);
create index dead_letters_by_command on dead_letters (coalesce(command_source, source), command_offset);
create index dead_letters_unresolved on dead_letters (recorded_at, source, row_no) where state in ('open', 'retrying', 'discarding');
create index dead_letters_decided on dead_letters (source, row_no) where state in ('retrying', 'discarding');

-- +goose Down
drop table dead_letters;
