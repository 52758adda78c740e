-- +goose Up

-- As before, but also where the database was restored in place, on a server that runs on: versions then count up again, for other events perhaps.
-- A database that was dropped and made again, tables that were, and ones that were truncated have another file, and a row that was deleted and
-- loaded was written by another transaction. Workers of the version before tell neither.
drop function expect_remembered(timestamptz, text[]);
-- +goose StatementBegin
create function expect_remembered(started timestamptz, free text[], file text default null, written xid default null)
returns void language plpgsql as $$
begin
    if started <> pg_postmaster_start_time() or file <> pg_relation_filepath('products')
        or written <> coalesce((select xmin from kafka_cluster), '0') then
        raise exception 'conflict: the server was started, or the database restored, since the products were read' using errcode = 'AL002';
    end if;
    if exists (select from held_keys) and exists (select from held_keys where key = any(free)) then
        raise exception 'conflict: a product is held by now' using errcode = 'AL002';
    end if;
end $$;
-- +goose StatementEnd

-- +goose Down
drop function expect_remembered;
-- +goose StatementBegin
create function expect_remembered(started timestamptz, free text[])
returns void language plpgsql as $$
begin
    if started <> pg_postmaster_start_time() then
        raise exception 'conflict: the server was started since the products were read' using errcode = 'AL002';
    end if;
    if exists (select from held_keys) and exists (select from held_keys where key = any(free)) then
        raise exception 'conflict: a product is held by now' using errcode = 'AL002';
    end if;
end $$;
-- +goose StatementEnd
