-- +goose Up
alter table outbox add column record_key text; -- of the Kafka record, where it is not `key`

-- +goose Down
alter table outbox drop column record_key;
