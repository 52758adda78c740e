-- +goose Up

-- The role that workers act in. The owner of the tables migrates; a worker's login is granted this role and can do what a worker does, no more:
-- it cannot delete, cannot change the schema, and cannot rewrite what was published.
-- +goose StatementBegin
do $$
begin
    if not exists (select from pg_roles where rolname = 'allocation_worker') then
        create role allocation_worker nologin;
    end if;
exception
    when duplicate_object or unique_violation then null; -- another migration was faster
    when insufficient_privilege then
        raise exception 'the role allocation_worker is missing, and this user may not create it'
            using hint = 'As an administrator: create role allocation_worker nologin; then migrate again.';
end $$;
-- +goose StatementEnd

grant select, insert, update on positions, products, batches, lines to allocation_worker;
grant select, insert on kafka_cluster, outbox, dead_letters, held_keys to allocation_worker;
grant select on goose_db_version to allocation_worker;
grant usage on sequence positions_source_seq to allocation_worker;
revoke execute on function outbox_make_days, outbox_drop_day from public;
grant execute on function outbox_make_days, outbox_drop_day to allocation_worker;

-- +goose Down
grant execute on function outbox_make_days, outbox_drop_day to public;
revoke all on positions, products, batches, lines, kafka_cluster, outbox, dead_letters, held_keys, goose_db_version from allocation_worker;
revoke all on sequence positions_source_seq from allocation_worker;
revoke all on function outbox_make_days, outbox_drop_day from allocation_worker;
