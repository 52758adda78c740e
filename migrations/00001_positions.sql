-- +goose Up

-- The Kafka cluster and the consumer group that this database belongs to. A worker of another is refused: its offsets would mean nothing here.
create table kafka_cluster (
    singleton      boolean primary key default true check (singleton), -- one row
    cluster_id     text not null,
    consumer_group text not null
);

-- One row per partition of a command topic: how far it is applied, who may apply it, and how far its outbox rows are published.
create table positions (
    source        integer generated always as identity primary key, -- the short name of (topic, partition) in other tables
    topic         text collate "C" not null,
    partition     integer not null check (partition >= 0),
    topic_id      uuid not null,                                    -- Kafka's id of the topic: another id is another log
    next_offset   bigint not null check (next_offset >= 0),         -- every record below it is applied
    next_row      bigint not null default 0,                        -- the number that the next outbox row takes
    published_row bigint not null default 0,                        -- every outbox row below it is acknowledged by Kafka
    epoch         bigint not null default 0,                        -- counts claims, for people
    token         uuid not null default gen_random_uuid(),          -- of the last claim: who does not hold it commits nothing here
    owner         text,                                             -- who claimed last, for people; null: nobody yet
    claimed_at    timestamptz,
    attempts      integer not null default 0,                       -- claims since the position last moved: high where a record kills its worker
    moved_at      timestamptz,                                      -- when next_offset last moved
    unique (topic, partition),
    check (published_row between 0 and next_row)
) with (fillfactor = 50); -- rewritten by every transaction: room for updates in place

-- Gives partitions a position that have none. One whose topic has positions was added later, and starts at its own start; one of a new topic
-- starts at the topic's start, so all partitions of a new topic should come in one call.
-- +goose StatementBegin
create function introduce_positions(topics text[], topic_ids uuid[], partitions integer[], starts bigint[], topic_starts bigint[])
returns void language sql as $$
    insert into positions (topic, partition, topic_id, next_offset)
    select w.topic, w.partition, w.topic_id,
           case when exists (select from positions p where p.topic = w.topic) then w.start else w.topic_start end
    from unnest(topics, topic_ids, partitions, starts, topic_starts) w (topic, topic_id, partition, start, topic_start)
    order by w.topic, w.partition
    on conflict (topic, partition) do nothing;
$$;
-- +goose StatementEnd

-- Claims partitions for a worker, waiting for transactions in flight on them.
-- +goose StatementBegin
create function claim_positions(topics text[], topic_ids uuid[], partitions integer[], starts bigint[], topic_starts bigint[], tokens uuid[], claimer text)
returns table (n integer, claimed positions) language plpgsql as $$
begin
    perform introduce_positions(topics, topic_ids, partitions, starts, topic_starts);

    perform from positions p
    where (p.topic, p.partition) in (select * from unnest(topics, partitions))
    order by p.source for no key update;

    return query
    update positions p
    set epoch = p.epoch + 1, token = w.token, owner = claimer, claimed_at = now(), attempts = p.attempts + 1
    from unnest(topics, partitions, tokens) with ordinality w (topic, partition, token, n)
    where p.topic = w.topic and p.partition = w.partition
    returning w.n::integer, p;
end $$;
-- +goose StatementEnd

-- Moves positions, or raises AL001 (fenced) with the sources in its detail that another worker claimed, or that are not where the caller
-- left them: a failover can lose commits under a token that is still valid. Raising takes the whole transaction with it.
-- +goose StatementBegin
create function move_positions(sources integer[], tokens uuid[], from_offsets bigint[], to_offsets bigint[], from_rows bigint[], to_rows bigint[], published_rows bigint[])
returns void language plpgsql as $$
declare
    moved integer;
    lost  text;
begin
    perform from positions where source = any(sources) order by source for no key update;

    update positions p
    set next_offset = m.to_offset, next_row = m.to_row, published_row = greatest(p.published_row, m.published_row),
        attempts = case when m.to_offset > m.from_offset then 0 else p.attempts end, moved_at = now()
    from unnest(sources, tokens, from_offsets, to_offsets, from_rows, to_rows, published_rows)
         m (source, token, from_offset, to_offset, from_row, to_row, published_row)
    where p.source = m.source and p.token = m.token and p.next_offset = m.from_offset and p.next_row = m.from_row;

    get diagnostics moved = row_count;
    if moved <> cardinality(sources) then
        select string_agg(m.source::text, ',') into lost
        from unnest(sources, tokens, from_offsets, to_offsets) m (source, token, from_offset, to_offset)
        where not exists (select from positions p where p.source = m.source and p.token = m.token and p.next_offset = m.to_offset);
        raise exception 'fenced: another worker claimed the partition, or its position is not where this worker left it'
            using errcode = 'AL001', detail = coalesce(lost, array_to_string(sources, ','));
    end if;
end $$;
-- +goose StatementEnd

-- Writes how far outbox rows are published, by itself, and returns the sources that another worker claimed.
-- +goose StatementBegin
create function save_published(sources integer[], tokens uuid[], published_rows bigint[])
returns setof integer language sql as $$
    select source from positions where source = any(sources) order by source for no key update;

    update positions p set published_row = greatest(p.published_row, m.published_row)
    from unnest(sources, tokens, published_rows) m (source, token, published_row)
    where p.source = m.source and p.token = m.token and m.published_row <= p.next_row;

    select m.source from unnest(sources, tokens) m (source, token)
    where not exists (select from positions p where p.source = m.source and p.token = m.token);
$$;
-- +goose StatementEnd

-- Raises AL002 (conflict) where a conditional write did not touch as many rows as it had to: zero rows is not an error to Postgres.
-- +goose StatementBegin
create function expect_count(actual bigint, expected bigint, what text)
returns void language plpgsql as $$
begin
    if actual <> expected then
        raise exception 'conflict: % of % % as expected', actual, expected, what using errcode = 'AL002';
    end if;
end $$;
-- +goose StatementEnd

-- +goose Down
drop function expect_count, save_published, move_positions, claim_positions, introduce_positions;
drop table positions, kafka_cluster;
