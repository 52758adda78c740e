-- +goose Up

-- As before; the service says which of its tables tells a database that was restored.
drop function expect_remembered;
-- +goose StatementBegin
create function expect_remembered(started timestamptz, free text[], file text default null, written xid default null, of_table text default 'products')
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
