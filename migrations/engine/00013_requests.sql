-- +goose Up

-- What became of commands that are to be done once: their producer marks them (ce_once), and may
-- send them again under the same id. Rows are dropped when they are older than 48 h.
create table requests (
    id         text collate "C" primary key, -- the command's ce_id
    body       bytea not null,               -- the hash of its type and its data
    outcome    text not null,                -- changed, no_effect, ignored, refused, held or discarded
    reason     text,                         -- of a refusal, or of a command that holds its key
    message    text,                         -- of the same
    key        text collate "C",             -- that the command is about, where it could be told
    decided_at timestamptz not null default now()
);
create index requests_by_time on requests (decided_at);

-- +goose Down
drop table requests;
