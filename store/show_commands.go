package store

import (
	"cmp"
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/outbox"
	"allocation/worker"
)

// CommandView is a command that had no effect: it waits behind a held key, or is a dead letter.
type CommandView struct {
	ID      RecordID
	Since   time.Time
	Held    string // the key behind which it waits
	Reason  string // of the dead letter, as what follows
	Message string
	State   string
	Retries int32

	Type string
	Data []byte // as far as it can be read: a refused command may be wrong in any way
}

// What a command is about is in its bytes, and in an index where whoever applied it could tell. Of
// the others Postgres finds those that may contain a text, as it is or in a way that only a reader
// of JSON understands. Values above a bound, which no command needs, are left out: they would have
// to be unpacked.
const (
	mayContainSQL = ` subject is null and octet_length(value) <= 65536 and (position($1::bytea in value) > 0
        or position('\x5c'::bytea in value) > 0 or position('data_base64'::bytea in value) > 0)`

	waitingSQL = `
select p.topic, p.partition, h.command_offset, h.held_at, h.key, '', '', '', 0, h.value, h.headers
from (select * from held_commands where subject = $2 union all select * from held_commands where` + mayContainSQL + `) h join positions p on p.source = h.command_source
order by h.seq`

	refusedSQL = `
select p.topic, p.partition, d.command_offset, d.recorded_at, '', d.reason, d.message, d.state, d.retries, d.value, d.headers
from (
    select * from dead_letters where state <> 'retried' and subject = $2
    union all select * from dead_letters where state <> 'retried' and` + mayContainSQL + `) d
join positions p on p.source = coalesce(d.command_source, d.source)
order by d.recorded_at, d.row_no`
)

// EachWaiting calls found for each command that waits and may be about something, oldest first.
func (s *Store) EachWaiting(ctx context.Context, subject string, found func(*CommandView)) error {
	return s.eachCommand(ctx, waitingSQL, subject, found)
}

// EachRefused calls found for each dead letter that was not retried and may be about something,
// oldest first.
func (s *Store) EachRefused(ctx context.Context, subject string, found func(*CommandView)) error {
	return s.eachCommand(ctx, refusedSQL, subject, found)
}

func (s *Store) eachCommand(ctx context.Context, query, subject string, found func(*CommandView)) error {
	rows, _ := s.pool.Query(ctx, query, []byte(subject), subject) // its error is that of the rows, too
	var c CommandView
	var value, headers []byte
	fields := []any{&c.ID.Topic, &c.ID.Partition, &c.ID.Offset, &c.Since, &c.Held, &c.Reason, &c.Message, &c.State, &c.Retries, &value, &headers}
	_, err := pgx.ForEachRow(rows, fields, func() error {
		decoded, err := outbox.DecodeHeaders(headers)
		if err != nil {
			return nil //nolint:nilerr // nothing that can be read
		}
		command := (&worker.ParkedRecord{Value: value, Headers: decoded}).Command(s.service.TypePrefix)
		c.Type, c.Data = cmp.Or(command.Type, command.Newer), command.Data
		found(&c)
		return nil
	})
	return err
}
