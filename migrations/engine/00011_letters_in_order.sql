-- +goose NO TRANSACTION
-- +goose Up

-- Dead letters of any state are read by pages, in the order in which they were recorded. Made while
-- workers write. An index that could not be ended is made again.
set lock_timeout = '10min';
drop index concurrently if exists dead_letters_in_order;
create index concurrently dead_letters_in_order on dead_letters (recorded_at, source, row_no);
reset lock_timeout;

-- +goose Down
drop index dead_letters_in_order;
