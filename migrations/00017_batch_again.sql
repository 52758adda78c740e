-- +goose Up

-- A batch of records that was too large may be read again from Kafka, when an operator gives it more room. Its records then take effect as they come, some at
-- a time, and each of these transactions moves batch_next.
alter table dead_letters
    add column batch_room    bigint,     -- to how many bytes it may unpack
    add column batch_next    bigint,     -- the offset up to which its records took effect, or became dead letters; null: none did
    add column batch_problem text;       -- why reading it again ended before its end

grant update (batch_room, batch_next, batch_problem) on dead_letters to allocation_worker;
grant update (batch_room, batch_problem) on dead_letters to allocation_operator;

-- +goose Down
update dead_letters set state = 'open' where state = 'retrying' and batch_last is not null;
revoke update (batch_room, batch_next, batch_problem) on dead_letters from allocation_worker;
revoke update (batch_room, batch_problem) on dead_letters from allocation_operator;
alter table dead_letters drop column batch_room, drop column batch_next, drop column batch_problem;
