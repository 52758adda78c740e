-- +goose Up

-- The role that operators act in: it reads everything, and decides about dead letters and positions. What it decides about a dead letter, the
-- partition's worker does; what it decides about a position, decide_position does. It can write nothing else.
-- +goose StatementBegin
do $$
begin
    if not exists (select from pg_roles where rolname = 'allocation_operator') then
        create role allocation_operator nologin;
    end if;
exception
    when duplicate_object or unique_violation then null; -- another migration was faster
    when insufficient_privilege then
        raise exception 'the role allocation_operator is missing, and this user may not create it'
            using hint = 'As an administrator: create role allocation_operator nologin; then migrate again.';
end $$;
-- +goose StatementEnd

grant select on positions, products, batches, lines, outbox, dead_letters, held_keys, held_commands, offset_decisions, goose_db_version to allocation_operator;
grant update (state, attempts, resolved_at) on dead_letters to allocation_operator;
grant execute on function decide_position to allocation_operator;

-- A worker inserts positions, and an identity column needs no right on its sequence.
revoke usage on sequence positions_source_seq from allocation_worker;

-- +goose Down
grant usage on sequence positions_source_seq to allocation_worker;
revoke execute on function decide_position from allocation_operator;
revoke all on positions, products, batches, lines, outbox, dead_letters, held_keys, held_commands, offset_decisions, goose_db_version from allocation_operator;
