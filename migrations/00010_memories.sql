-- +goose Up

-- Workers remember what they read of products, and which were not held. This raises AL002 (conflict) where the server was started since, for then
-- it may be another one, or have been restored; and where one of the products that were not held is by now.
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

-- +goose Down
drop function expect_remembered;
