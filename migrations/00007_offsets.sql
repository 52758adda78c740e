-- +goose Up

-- The leader epoch of the last record applied tells whether the log still holds what was applied, or was cut and grew again.
-- A position is retired when its topic was deleted and made again and an operator accepted that: nothing more is applied under it, its rows are
-- still published with the old topic's id, and the new topic has a position of its own.
-- Offsets may come by a second time after an operator's decision. The events of those commands are numbered on from a million for each time, so
-- that no two events have one ce_id.
alter table positions
    add column leader_epoch integer not null default -1, -- -1: not known
    add column retired_at   timestamptz,
    add column replay_below bigint not null default 0,   -- offsets below may have been applied before
    add column replays      integer not null default 0;  -- how many times they came by again

alter table positions drop constraint positions_topic_partition_key;
create unique index positions_current on positions (topic, partition) where retired_at is null;

-- What operators decided about positions, for people.
create table offset_decisions (
    id          bigint generated always as identity primary key,
    decided_at  timestamptz not null default now(),
    decided_by  text not null default session_user,
    action      text not null check (action in ('accept', 'reset')),
    topic       text collate "C" not null,
    partition   integer not null,
    source      integer not null,        -- the position that it was about
    new_source  integer,                 -- the one from then on; null: none
    from_offset bigint not null,
    to_offset   bigint,                  -- null: the partition is gone
    why         text not null
);

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

-- +goose StatementBegin
create or replace function claim_positions(topics text[], topic_ids uuid[], partitions integer[], starts bigint[], topic_starts bigint[], tokens uuid[], claimer text)
returns table (n integer, claimed positions) language plpgsql as $$
begin
    perform introduce_positions(topics, topic_ids, partitions, starts, topic_starts);

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

-- As before, with the leader epochs of the last records applied. Workers of the version before do not give them, and make them unknown.
drop function move_positions(integer[], uuid[], bigint[], bigint[], bigint[], bigint[], bigint[]);
-- +goose StatementBegin
create function move_positions(sources integer[], tokens uuid[], from_offsets bigint[], to_offsets bigint[], from_rows bigint[], to_rows bigint[], published_rows bigint[],
    leader_epochs integer[] default null)
returns void language plpgsql as $$
declare
    moved integer;
    lost  text;
begin
    perform from positions where source = any(sources) order by source for no key update;

    update positions p
    set next_offset = m.to_offset, next_row = m.to_row, published_row = greatest(p.published_row, m.published_row),
        leader_epoch = case when m.to_offset > m.from_offset then coalesce(m.leader_epoch, -1) else p.leader_epoch end,
        attempts = case when m.to_offset > m.from_offset then 0 else p.attempts end, moved_at = now()
    from unnest(sources, tokens, from_offsets, to_offsets, from_rows, to_rows, published_rows, leader_epochs)
         m (source, token, from_offset, to_offset, from_row, to_row, published_row, leader_epoch)
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

-- Claims sources that nobody holds any more, to publish what is left of them: those whose token is still the one that was seen. Of several
-- who try at once one succeeds.
-- +goose StatementBegin
create function adopt_positions(sources integer[], seen uuid[], tokens uuid[], claimer text)
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

-- Carries out an operator's decision: fences the owner, moves the position, and notes who decided it. With another topic id the position is
-- retired, and the new topic gets one of its own; without an offset it is only retired. `seen` is where the position must still be; null:
-- anywhere. Returns the position as it was, or nothing where it is not as seen. It acts for the owner, so that who decides needs no right to
-- write positions.
-- +goose StatementBegin
create function decide_position(about integer, seen bigint, new_id uuid, go_on bigint, deed text, reason text)
returns setof positions language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    old       positions;
    successor integer := about;
begin
    select * into old from positions where source = about and retired_at is null for update;
    if old.source is null or old.next_offset <> coalesce(seen, old.next_offset) then
        return;
    end if;

    if go_on is null or new_id <> old.topic_id then
        update positions set epoch = epoch + 1, token = gen_random_uuid(), retired_at = now() where source = about;
        successor := null;
        if go_on is not null then
            insert into positions (topic, partition, topic_id, next_offset) values (old.topic, old.partition, new_id, go_on)
            returning source into successor;
        end if;
    else
        update positions
        set epoch = epoch + 1, token = gen_random_uuid(), next_offset = go_on, leader_epoch = -1, attempts = 0,
            replay_below = greatest(replay_below, next_offset), replays = replays + (go_on < greatest(replay_below, next_offset))::integer
        where source = about;
    end if;

    insert into offset_decisions (action, topic, partition, source, new_source, from_offset, to_offset, why)
    values (deed, old.topic, old.partition, about, successor, old.next_offset, go_on, reason);
    perform pg_notify('allocation_nudge', about::text);
    return next old;
end $$;
-- +goose StatementEnd
revoke execute on function decide_position from public;

-- +goose Down
drop function decide_position, adopt_positions;
drop table offset_decisions;
delete from positions where retired_at is not null;
drop index positions_current;
alter table positions
    drop column leader_epoch, drop column retired_at, drop column replay_below, drop column replays,
    add constraint positions_topic_partition_key unique (topic, partition);
-- +goose StatementBegin
create or replace function introduce_positions(topics text[], topic_ids uuid[], partitions integer[], starts bigint[], topic_starts bigint[])
returns void language sql as $$
    insert into positions (topic, partition, topic_id, next_offset)
    select w.topic, w.partition, w.topic_id,
           case when exists (select from positions p where p.topic = w.topic) then w.start else w.topic_start end
    from unnest(topics, topic_ids, partitions, starts, topic_starts) w (topic, topic_id, partition, start, topic_start)
    order by w.topic, w.partition
    on conflict (topic, partition) do nothing;
$$;
-- +goose StatementEnd
-- +goose StatementBegin
create or replace function claim_positions(topics text[], topic_ids uuid[], partitions integer[], starts bigint[], topic_starts bigint[], tokens uuid[], claimer text)
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
drop function move_positions;
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
