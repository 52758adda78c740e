-- +goose Up

-- A command whose type is of a later version than its worker knows may hold its key until a newer
-- worker comes. Its dead letter has the reason newer_version.
alter table held_keys
    add column waits_until timestamptz;    -- when that time is over; null where the key waits for an operator's decision

-- +goose Down

-- Rights on a column outlive it, where they are not revoked first: the version before finds them,
-- and cannot revoke them.
-- +goose StatementBegin
do $$
declare
    whose text;
begin
    for whose in
        select distinct case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
        from pg_attribute c, aclexplode(c.attacl) a where c.attrelid = 'held_keys'::regclass and c.attname = 'waits_until'
    loop
        execute format('revoke all (waits_until) on held_keys from %s', whose);
    end loop;
end $$;
-- +goose StatementEnd
alter table held_keys drop column waits_until;
