-- +goose Up

-- The Kafka cluster and the consumer group that this database belongs to. A worker of another is
-- refused: its offsets would mean nothing here.
create table kafka_cluster (
    singleton      boolean primary key default true check (singleton), -- one row
    cluster_id     text not null,
    consumer_group text not null
);

-- One row per partition of a command topic: how far it is applied, who may apply it, and how far
-- its outbox rows are published.
--
-- While anybody has an old snapshot, dead versions of rows are not cleaned, and each page that a
-- row's versions have filled leaves an entry of its key in the index. So few rows share a page,
-- and entries of the index are kept one by one, in order: see move_positions.
create table positions (
    source        integer generated always as identity primary key with (deduplicate_items = off), -- the short name of (topic, partition) in other tables
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

    -- A record that ends its worker leaves no error behind. So where a position did not move
    -- between two claims, a worker says which records it is about to apply: see begin_probe.
    probe_from    bigint,
    probe_to      bigint,
    probes        integer not null default 0,

    leader_epoch  integer not null default -1,                      -- of the last record applied, to tell a log that was cut; -1: not known

    -- A position is retired when its topic was made again and an operator accepted that. Nothing
    -- more is applied under it, and its rows are still published with the old topic's id.
    retired_at    timestamptz,

    -- Offsets may come by again after an operator's decision. Events of those commands are
    -- numbered on from a million for each time, in 31 bits, so that no two events have one ce_id.
    replay_below  bigint not null default 0,                        -- offsets below may have been applied before
    replays       integer not null default 0,                       -- how many times they came by again
    check (published_row between 0 and next_row),
    constraint replays_have_numbers check (replays between 0 and 2146)
) with (fillfactor = 10);
create unique index positions_current on positions (topic, partition) where retired_at is null;

-- Raises AL002 (conflict) where a conditional write did not touch as many rows as it had to: zero
-- rows is not an error to Postgres.
-- +goose StatementBegin
create function expect_count(actual bigint, expected bigint, what text)
returns void language plpgsql as $$
begin
    if actual <> expected then
        raise exception 'conflict: %: %, not %', what, actual, expected using errcode = 'AL002';
    end if;
end $$;
-- +goose StatementEnd

-- Gives partitions a position that have none; the others take no number of the sequence, which has
-- an end. A partition whose topic has positions was added later, and starts at its own start; one
-- of a new topic starts at the topic's start, so all of them should come in one call.
-- +goose StatementBegin
create function ensure_positions(topics text[], topic_ids uuid[], partitions integer[], starts bigint[], topic_starts bigint[])
returns void language sql as $$
    insert into positions (topic, partition, topic_id, next_offset)
    select w.topic, w.partition, w.topic_id,
           case when exists (select from positions p where p.topic = w.topic) then w.start else w.topic_start end
    from unnest(topics, topic_ids, partitions, starts, topic_starts) w (topic, topic_id, partition, start, topic_start)
    where not exists (select from positions p where p.topic = w.topic and p.partition = w.partition and p.retired_at is null)
    order by w.topic, w.partition
    on conflict (topic, partition) where retired_at is null do nothing;
$$;
-- +goose StatementEnd

-- Claims partitions for a worker, waiting for transactions in flight on them.
-- +goose StatementBegin
create function claim_positions(topics text[], topic_ids uuid[], partitions integer[], starts bigint[], topic_starts bigint[], tokens uuid[], claimer text)
returns table (n integer, claimed positions) language plpgsql as $$
begin
    perform ensure_positions(topics, topic_ids, partitions, starts, topic_starts);

    perform from positions p
    where (p.topic, p.partition) in (select * from unnest(topics, partitions)) and p.retired_at is null
    order by p.source for no key update;

    return query
    update positions p
    set epoch = p.epoch + 1, token = w.token, owner = claimer, claimed_at = now(), attempts = p.attempts + 1
    from unnest(topics, partitions, tokens) with ordinality w (topic, partition, token, n)
    where p.topic = w.topic and p.partition = w.partition and p.retired_at is null
    returning w.n::integer, p;
end $$;
-- +goose StatementEnd

-- Claims sources that nobody holds any more, to publish what is left of them: those whose token is
-- still the one that was seen. Of several who try at once one succeeds.
-- +goose StatementBegin
create function claim_orphans(sources integer[], seen uuid[], tokens uuid[], claimer text)
returns setof positions language plpgsql as $$
begin
    perform from positions p where p.source = any(sources) order by p.source for no key update;

    return query
    update positions p
    set epoch = p.epoch + 1, token = w.token, owner = claimer, claimed_at = now()
    from unnest(sources, seen, tokens) w (source, seen, token)
    where p.source = w.source and p.token = w.seen
    returning p.*;
end $$;
-- +goose StatementEnd

-- Moves positions, or raises AL001 (fenced) with the sources in its detail that another worker
-- claimed, or that are not where the caller left them: a failover can lose commits under a token
-- that is still valid. Raising takes the whole transaction with it.
--
-- A row is looked up once, from the newest entry of the index backwards, which the range is for
-- (by `=`, an index is always read forwards), and then written at the place that was found: it is
-- locked, so it stays there. Plans are made once, since making one takes longer than what it
-- plans; and without bitmaps, which take all entries.
-- +goose StatementBegin
create function move_positions(sources integer[], tokens uuid[], from_offsets bigint[], to_offsets bigint[], from_rows bigint[], to_rows bigint[], published_rows bigint[],
    leader_epochs integer[] default null)
returns void language plpgsql set plan_cache_mode = force_generic_plan set enable_bitmapscan = off as $$
declare
    places tid[];
    moved  integer;
    lost   text;
begin
    select array_agg(at.place order by asked.n) into places
    from (select * from unnest(sources) with ordinality s (source, n) order by s.source) asked
    left join lateral (
        select p.ctid as place from positions p where p.source >= asked.source and p.source <= asked.source
        order by p.source desc limit 1 for no key update) at on true;

    update positions p
    set next_offset = m.to_offset, next_row = m.to_row, published_row = greatest(p.published_row, m.published_row),
        leader_epoch = case when m.to_offset > m.from_offset then coalesce(m.leader_epoch, -1) else p.leader_epoch end,
        attempts = case when m.to_offset > m.from_offset then 0 else p.attempts end, moved_at = now()
    from unnest(sources, tokens, from_offsets, to_offsets, from_rows, to_rows, published_rows, leader_epochs, places)
         m (source, token, from_offset, to_offset, from_row, to_row, published_row, leader_epoch, place)
    where p.ctid = m.place and p.token = m.token and p.next_offset = m.from_offset and p.next_row = m.from_row;

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

-- Writes how far outbox rows are published, by itself, and returns the sources that another worker
-- claimed.
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

-- Begins to apply the records from `first` up to `last`. Answers how often just this was begun
-- before and never ended, and how far the largest probe went that began here. `forget` says that
-- earlier ones did end, with an error.
-- +goose StatementBegin
create function begin_probe(id integer, claim uuid, first bigint, last bigint, forget boolean)
returns table (earlier integer, reached bigint) language plpgsql as $$
declare
    p positions;
begin
    select * into p from positions where source = id and token = claim for no key update;
    if not found then
        raise exception 'fenced: another worker claimed the partition' using errcode = 'AL001', detail = id::text;
    end if;
    if forget or p.probe_from is distinct from first then
        p.probes := 0;
        p.probe_to := null;
    end if;
    reached := p.probe_to;
    earlier := case when p.probe_to = last then p.probes else 0 end;
    update positions set probe_from = first, probe_to = last, probes = earlier + 1 where source = id;
    return next;
end $$;
-- +goose StatementEnd

-- +goose Down
drop function begin_probe, save_published, move_positions, claim_orphans, claim_positions, ensure_positions, expect_count;
drop table positions, kafka_cluster;
