-- +goose Up

-- As before, but also where the database was restored in place, on a server that runs on: versions then count up again, for other events perhaps.
-- A database that was dropped and made again, tables that were, and ones that were truncated have another file, and a row that was deleted and
-- loaded was written by another transaction. Workers of the version before tell neither.
drop function expect_remembered(timestamptz, text[]);
-- +goose StatementBegin
create function expect_remembered(started timestamptz, free text[], file text default null, written xid default null)
returns void language plpgsql as $$
begin
    if started <> pg_postmaster_start_time() or file <> pg_relation_filepath('products')
        or written <> coalesce((select xmin from kafka_cluster), '0') then
        raise exception 'conflict: the server was started, or the database restored, since the products were read' using errcode = 'AL002';
    end if;
    if exists (select from held_keys) and exists (select from held_keys where key = any(free)) then
        raise exception 'conflict: a product is held by now' using errcode = 'AL002';
    end if;
end $$;
-- +goose StatementEnd

-- As before, but a position that exists takes no number of the sequence, which has an end. And the numbers that claims took for nothing until now
-- are given back.
-- +goose StatementBegin
create or replace function introduce_positions(topics text[], topic_ids uuid[], partitions integer[], starts bigint[], topic_starts bigint[])
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
lock table positions in share row exclusive mode;
select setval(pg_get_serial_sequence('positions', 'source'), max(source)) from positions having max(source) is not null;

-- The number of an event has 31 bits: the time that its command's offset came by, in millions, and one behind the other within it.
alter table positions add constraint replays_have_numbers check (replays between 0 and 2146);

-- +goose Down
alter table positions drop constraint replays_have_numbers;
-- +goose StatementBegin
create or replace function introduce_positions(topics text[], topic_ids uuid[], partitions integer[], starts bigint[], topic_starts bigint[])
returns void language sql as $$
    insert into positions (topic, partition, topic_id, next_offset)
    select w.topic, w.partition, w.topic_id,
           case when exists (select from positions p where p.topic = w.topic) then w.start else w.topic_start end
    from unnest(topics, topic_ids, partitions, starts, topic_starts) w (topic, topic_id, partition, start, topic_start)
    order by w.topic, w.partition
    on conflict (topic, partition) where retired_at is null do nothing;
$$;
-- +goose StatementEnd
drop function expect_remembered;
-- +goose StatementBegin
create function expect_remembered(started timestamptz, free text[])
returns void language plpgsql as $$
begin
    if started <> pg_postmaster_start_time() then
        raise exception 'conflict: the server was started since the products were read' using errcode = 'AL002';
    end if;
    if exists (select from held_keys) and exists (select from held_keys where key = any(free)) then
        raise exception 'conflict: a product is held by now' using errcode = 'AL002';
    end if;
end $$;
-- +goose StatementEnd
