package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/outbox"
	"allocation/worker"
)

// The states of a dead letter.
const (
	LetterOpen       = "open"       // nobody decided yet
	LetterRetrying   = "retrying"   // an operator wants it applied, and its partition's owner has not done it yet
	LetterDiscarding = "discarding" // an operator wants it dropped, and its partition's owner has not done it yet
	LetterRetried    = "retried"    // it was applied again; if that was refused, there is a later letter of its command
	LetterDiscarded  = "discarded"  // it never takes effect
)

// LetterStates are all of them.
func LetterStates() []string {
	return []string{LetterOpen, LetterRetrying, LetterDiscarding, LetterRetried, LetterDiscarded}
}

// Letter is a dead letter as a list shows it.
type Letter struct {
	ID          RecordID   `json:"id"`
	Reason      string     `json:"reason"`
	Message     string     `json:"message"`
	Type        string     `json:"type,omitempty"`
	Key         string     `json:"letter_key,omitempty"`
	State       string     `json:"state"`
	Retries     int32      `json:"retries"`                   // how often its command was retried before
	CommandTime *int64     `json:"command_time_ms,omitempty"` // as the producer gave it: perhaps nonsense
	RecordedAt  time.Time  `json:"recorded_at"`
	ResolvedAt  *time.Time `json:"resolved_at,omitempty"`
	Holds       string     `json:"holds,omitempty"`       // the key whose later commands wait for it
	Waiting     int64      `json:"waiting,omitempty"`     // how many wait
	WaitsUntil  *time.Time `json:"waits_until,omitempty"` // for a worker that knows its type; nil: it does not wait for one

	Batch *LetterBatch `json:"batch,omitempty"` // what it is about where that is not one command

	row worker.LetterID
}

// LetterBatch is a batch of records that unpacks to more than a worker has room for. It begins at
// the letter's offset.
type LetterBatch struct {
	Last    int64  `json:"last_offset"`
	Records int32  `json:"records"`
	Bytes   int32  `json:"packed_bytes"`
	Codec   string `json:"codec"`

	MaxBytes *int64 `json:"max_bytes,omitempty"`   // to how many it may unpack when it is read again
	Next     *int64 `json:"next_offset,omitempty"` // its records before that took effect, or are dead letters of their own
	Problem  string `json:"problem,omitempty"`     // why reading it again ended
}

// LetterContent is a dead letter with everything that came with its command.
type LetterContent struct {
	Letter
	RecordKey []byte
	Value     []byte
	Headers   []outbox.Header
	Others    []Letter // of the same command, oldest first
}

const (
	// letterColumns and letterJoins are about dead letters called d.
	letterColumns = `d.source, d.row_no, p.topic, p.partition, d.command_offset, d.reason, d.message, coalesce(d.type, ''), coalesce(d.key, ''), d.state, d.retries,
    d.command_time, d.recorded_at, d.resolved_at, coalesce(k.key, ''), (select count(*) from held_commands h where h.key = k.key),
    case when ` + waitsSQL + ` then k.waits_until end, d.batch_last, coalesce(d.batch_records, 0), coalesce(d.batch_bytes, 0), coalesce(d.batch_codec, ''),
    d.batch_room, d.batch_next, coalesce(d.batch_problem, '')`
	letterJoins = `
join positions p on p.source = coalesce(d.command_source, d.source)
left join held_keys k on k.source = d.source and k.row_no = d.row_no`

	// A command that was refused more than once counts with its last letter. A letter about a batch
	// of records counts as long as the batch is not done, instead of a letter of its first record.
	newestSQL = `
from unnest($1::text[], $2::int[], $3::bigint[]) w (topic, partition, command_offset)
cross join lateral (
    select n.source, n.row_no from positions o
    join dead_letters n on coalesce(n.command_source, n.source) = o.source and n.command_offset = w.command_offset
    where o.topic = w.topic and o.partition = w.partition
    order by n.batch_last is not null and n.state in ('open', 'retrying', 'discarding') desc, n.recorded_at desc, n.row_no desc limit 1) n
join dead_letters d on d.source = n.source and d.row_no = n.row_no` + letterJoins

	letterSQL = `select ` + letterColumns + `, d.record_key, d.value, d.headers` + newestSQL

	letterOthersSQL = `
select ` + letterColumns + ` from dead_letters w
join dead_letters d on coalesce(d.command_source, d.source) = coalesce(w.command_source, w.source) and d.command_offset = w.command_offset
    and (d.source, d.row_no) <> (w.source, w.row_no)` + letterJoins + `
where w.source = $1 and w.row_no = $2 order by d.recorded_at, d.row_no limit $3`
)

// scan reads letterColumns, and more behind them.
func (l *Letter) scan(row pgx.CollectableRow, more ...any) error {
	var last *int64
	var batch LetterBatch
	err := row.Scan(append([]any{
		&l.row.Source, &l.row.Row, &l.ID.Topic, &l.ID.Partition, &l.ID.Offset, &l.Reason, &l.Message, &l.Type, &l.Key, &l.State, &l.Retries,
		&l.CommandTime, &l.RecordedAt, &l.ResolvedAt, &l.Holds, &l.Waiting, &l.WaitsUntil,
		&last, &batch.Records, &batch.Bytes, &batch.Codec, &batch.MaxBytes, &batch.Next, &batch.Problem,
	}, more...)...)
	if last != nil {
		batch.Last = *last
		l.Batch = &batch
	}
	return err
}

func scanLetter(row pgx.CollectableRow) (l Letter, err error) {
	return l, l.scan(row)
}

// maxOthers bounds the other dead letters of a command.
const maxOthers = 1000

// Letter is the last dead letter of a command, and ErrUnknown where it has none.
func (s *Store) Letter(ctx context.Context, id RecordID) (*LetterContent, error) {
	topics, partitions, offsets := idArrays([]RecordID{id})
	rows, _ := s.pool.Query(ctx, letterSQL, topics, partitions, offsets)
	found, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (l LetterContent, err error) {
		var headers []byte
		if err = l.scan(row, &l.RecordKey, &l.Value, &headers); err == nil {
			l.Headers, err = outbox.DecodeHeaders(headers)
		}
		return l, err
	})
	if err != nil {
		return nil, ShowError("show dead letter", err)
	}
	found.Others, err = list(ctx, s, "show other dead letters of the command", scanLetter, letterOthersSQL, found.row.Source, found.row.Row, maxOthers)
	return &found, err
}
