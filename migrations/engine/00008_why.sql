-- +goose Up

-- What people who ask why are told, beside what is published.
alter table outbox
    add column key_back    integer,        -- how many rows before this one the key's last event is, where the same source has it; else see after_row
    add column also_source integer,        -- the previous event of a second thread, such as that of a line's batch
    add column also_row    bigint,
    add column also_day    date,
    add column note        text;           -- JSON of the service's own

-- Commands are found by their id, their correlation and what they are about.
alter table dead_letters
    add column command_id     text,        -- the command's ce_id
    add column correlation_id text,        -- the command's ce_correlationid
    add column subject        text;        -- what the command is about, such as an order; null where that could not be told
alter table held_commands
    add column command_id     text,
    add column correlation_id text,
    add column subject        text;

-- +goose Down
alter table held_commands drop column command_id, drop column correlation_id, drop column subject;
alter table dead_letters drop column command_id, drop column correlation_id, drop column subject;
alter table outbox drop column key_back, drop column also_source, drop column also_row, drop column also_day, drop column note;
