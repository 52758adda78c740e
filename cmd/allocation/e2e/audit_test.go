package e2e

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// auditSQL keeps every committed change of a position: who held the claim, and who made the change.
const auditSQL = `
create table audit (
    id bigserial primary key, at timestamptz not null default clock_timestamp(), made_by text not null default current_setting('application_name'),
    topic text, partition integer, epoch bigint, next_offset bigint, next_row bigint, published_row bigint);
create function audit_position() returns trigger language plpgsql security definer as $$
begin
    insert into audit (topic, partition, epoch, next_offset, next_row, published_row)
    values (new.topic, new.partition, new.epoch, new.next_offset, new.next_row, new.published_row);
    return null;
end $$;
create trigger audit_position after insert or update on positions for each row execute function audit_position();`

// change is one committed change of a position.
type change struct {
	At         time.Time
	Topic      string
	Partition  int32
	By         string // the name of the worker
	Epoch      int64  // counts claims
	NextOffset int64
	NextRow    int64
}

func (a *arena) audit() {
	a.t.Helper()
	_, err := a.db.Exec(a.t.Context(), auditSQL)
	require.NoError(a.t, err)
}

// changes are the committed changes of all positions, each one's in order.
func (a *arena) changes() map[topicPartition][]change {
	a.t.Helper()
	rows, err := a.db.Query(a.t.Context(), `select at, topic, partition, made_by, epoch, next_offset, next_row from audit order by topic, partition, id`)
	require.NoError(a.t, err)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[change])
	require.NoError(a.t, err)
	all := map[topicPartition][]change{}
	for _, c := range list {
		l := topicPartition{c.Topic, c.Partition}
		all[l] = append(all[l], c)
	}
	return all
}

// claimed reports whether the change is a claim, or the making of the position for one; before is
// the position's last change.
func (c change) claimed(before change) bool { return c.Epoch > before.Epoch || c.Epoch == 0 }

// moved reports whether commands were applied.
func (c change) moved(before change) bool { return c.NextOffset > before.NextOffset }

// checkFence wants every change of a position to be made by the worker whose claim is the last.
func (a *arena) checkFence() {
	a.t.Helper()
	for l, changes := range a.changes() {
		owner, last := "", change{}
		for _, c := range changes {
			if c.claimed(last) {
				owner = c.By
			}
			if c.By != owner {
				a.t.Errorf("%v: %s wrote at %s (to offset %d, row %d) under the claim of %s", l, c.By, c.At, c.NextOffset, c.NextRow, owner)
			}
			last = c
		}
	}
}
