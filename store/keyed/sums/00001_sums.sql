-- +goose Up
create table sums (
    key         text primary key,
    state       jsonb not null,
    version     bigint not null,
    last_source integer not null,
    last_row    bigint not null,
    last_day    integer not null
);
create table watches (
    key         text primary key,
    state       jsonb not null,
    version     bigint not null,
    last_source integer not null,
    last_row    bigint not null,
    last_day    integer not null,
    changes     bigint not null
);

-- +goose Down
drop table sums, watches;
