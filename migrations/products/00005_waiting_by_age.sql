-- +goose NO TRANSACTION
-- +goose Up
set lock_timeout = '10min';
drop index concurrently if exists lines_waiting_by_age;
create index concurrently lines_waiting_by_age on lines (placed_at, sku, placed) where state = 'waiting';
reset lock_timeout;

-- +goose Down
drop index lines_waiting_by_age;
