-- +goose Up

-- A command whose type is of a later version than its worker knows may hold its key until a newer
-- worker comes. Its dead letter has the reason newer_version.
alter table held_keys
    add column waits_until timestamptz;    -- when that time is over; null where the key waits for an operator's decision

-- +goose Down
alter table held_keys drop column waits_until;
