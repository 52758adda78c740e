-- +goose Up

-- Which build a worker is. Null where the worker is of before this column.
alter table worker_nonces add column version text;

-- As before, and says which build the worker is.
-- +goose StatementBegin
create function write_nonce(nonce uuid, writer uuid, called text, build text)
returns uuid language sql as $$
    insert into worker_nonces (id, worker, owner, version) values (nonce, writer, called, build);
    delete from worker_nonces where worker = writer and at < now() - interval '5 minutes';
    delete from worker_nonces where at < now() - interval '1 day';
    select id from database_identity;
$$;
-- +goose StatementEnd

-- +goose Down
drop function write_nonce(uuid, uuid, text, text);
alter table worker_nonces drop column version;
