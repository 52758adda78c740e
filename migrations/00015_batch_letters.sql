-- +goose Up

-- A dead letter may be about a batch of records that unpacks to more than a worker has room for: what its header says, and none of its bytes.
-- Its command_offset is that of the first record.
alter table dead_letters
    add column batch_last    bigint,     -- the offset of its last record; null where the letter is about one command
    add column batch_records integer,    -- how many it has
    add column batch_bytes   integer,    -- packed
    add column batch_codec   text;       -- zstd, …

-- What keeps records of a partition from coming to the worker that has it, as that worker says. It counts only under the claim of its token.
create table fetch_troubles (
    source integer primary key,          -- positions.source
    token  uuid not null,
    since  timestamptz not null,
    why    text not null
);

grant select, insert, update, delete on fetch_troubles to allocation_worker;
grant select on fetch_troubles to allocation_operator;

-- +goose Down
drop table fetch_troubles;
alter table dead_letters
    drop column batch_last, drop column batch_records, drop column batch_bytes, drop column batch_codec;
