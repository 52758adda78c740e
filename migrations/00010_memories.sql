-- +goose Up

-- Workers remember what they read of products, and which were not held. This raises AL002 (conflict) where the server was started since, for then
-- it may be another one, or have been restored; and where one of the products, or a batch that a waiting command would make, is held by now.
-- Answers whether anything is held at all.
-- +goose StatementBegin
create function expect_remembered(started timestamptz, skus text[], refs text[])
returns boolean language plpgsql as $$
begin
    if started <> pg_postmaster_start_time() then
        raise exception 'conflict: the server was started since the products were read' using errcode = 'AL002';
    end if;
    if not exists (select from held_keys) then
        return false;
    end if;
    if exists (select from held_keys where key = any(skus)) or exists (select from held_keys where ref = any(refs))
        or exists (select from held_commands where ref = any(refs)) then
        raise exception 'conflict: a product is held by now' using errcode = 'AL002';
    end if;
    return true;
end $$;
-- +goose StatementEnd

-- +goose Down
drop function expect_remembered;
