-- +goose Up

-- The database's own id. Workers tell it to their consumer group, so that workers of two databases
-- do not share one. A copy has the id of the original.
create table database_identity (
    singleton boolean primary key default true check (singleton), -- one row
    id        uuid not null default gen_random_uuid()
);
insert into database_identity default values;

-- Ids that workers made up, wrote here, and then told to their group. One that is told there by a
-- live member and is not here was written into another database: a copy of this one.
create table worker_nonces (
    id     uuid primary key,
    worker uuid not null, -- one process
    owner  text not null, -- the same, for people
    at     timestamptz not null default now()
);
create index worker_nonces_worker on worker_nonces (worker, at);

-- Writes an id of a worker's, forgets what nobody asks for any more, and returns the database's
-- own.
-- +goose StatementBegin
create function write_nonce(nonce uuid, writer uuid, called text)
returns uuid language sql as $$
    insert into worker_nonces (id, worker, owner) values (nonce, writer, called);
    delete from worker_nonces where worker = writer and at < now() - interval '5 minutes';
    delete from worker_nonces where at < now() - interval '1 day';
    select id from database_identity;
$$;
-- +goose StatementEnd

-- +goose Down
drop function write_nonce;
drop table worker_nonces, database_identity;
