-- +goose Up

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

-- What keeps records of a partition from coming to the worker that has it, as that worker says. It
-- counts only under the claim of its token.
create table fetch_troubles (
    source integer primary key,          -- positions.source
    token  uuid not null,
    since  timestamptz not null,
    why    text not null
);

-- Carries out an operator's decision: fences the owner, moves the position, and notes who decided
-- it. With another topic id the position is retired, and the new topic gets one of its own;
-- without an offset it is only retired. `seen` is where the position must still be; null:
-- anywhere. Returns the position as it was, or nothing where it is not as seen. It acts for the
-- owner, so that who decides needs no right to write positions.
-- +goose StatementBegin
create function decide_position(about integer, seen bigint, new_id uuid, go_on bigint, deed text, reason text)
returns setof positions language plpgsql security definer set search_path from current as $$
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
    perform pg_notify(current_schema() || '_nudge', about::text);
    return next old;
end $$;
-- +goose StatementEnd
revoke execute on function decide_position from public;

-- +goose Down
drop function decide_position;
drop table fetch_troubles, offset_decisions;
