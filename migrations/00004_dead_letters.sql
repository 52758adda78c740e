-- +goose Up

-- Refused and unreadable commands, byte for byte, so that they can be listed, shown, sent again or discarded. Each travels to Kafka by the
-- outbox row of the same source and number.
create table dead_letters (
    source         integer not null,                   -- positions.source
    row_no         bigint not null,
    command_offset bigint not null,                    -- of the record, in the source's partition
    command_time   bigint,                             -- the record's timestamp, in Unix milliseconds
    reason         text not null,                      -- a word of the specification
    message        text not null,                      -- a sentence for a person
    type           text,                               -- of the command, where it could be told
    sku            text collate "C",                   -- the product, where it could be told
    key            bytea,                              -- null where the record had none; so for the value
    value          bytea,
    headers        bytea not null,                     -- as Kafka encodes them in a record: varint count, then varint length and bytes of each key and value
    state          text not null default 'open' check (state in ('open', 'retried', 'discarded')),
    recorded_at    timestamptz not null default now(),
    resolved_at    timestamptz,
    primary key (source, row_no)
);

-- Products whose commands wait behind one that failed unexpectedly.
create table held_keys (
    key     text collate "C" primary key,              -- the SKU
    source  integer not null,                          -- the dead letter that holds it
    row_no  bigint not null,
    held_at timestamptz not null default now(),
    foreign key (source, row_no) references dead_letters
);

-- +goose Down
drop table held_keys, dead_letters;
