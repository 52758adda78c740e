package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/outbox"
	"allocation/worker"
)

// ownSQL are the sources that the owner of $1 answers for: its own, and those of topics of the same
// name that were deleted.
const ownSQL = `(select p.source from positions p join positions o on o.topic = p.topic and o.partition = p.partition where o.source = $1)`

// waitedSQL says of a held key k and its dead letter d that the command need not wait for a newer
// worker any longer: this one knows its type, which $2 has, or the time is over.
const waitedSQL = waitsSQL + ` and (k.waits_until <= now() or d.type = any($2))`

const backlogsSQL = `
select o.source,
    exists (select from dead_letters d where d.source = p.source and d.state in ('retrying', 'discarding') and not (d.state = 'retrying' and d.batch_last is not null))
        or exists (select from held_keys k join dead_letters d using (source, row_no) where k.source = p.source and d.state in ('retried', 'discarded'))
        or exists (select from held_keys k join dead_letters d using (source, row_no) where k.source = p.source and ` + waitedSQL + `) work,
    (select count(*) from held_keys k where k.source = p.source)::int held,
    (select count(*) from held_keys k join dead_letters d using (source, row_no) where k.source = p.source and ` + waitsSQL + `)::int newer,
    coalesce((select min(d.row_no) from dead_letters d where d.source = p.source and d.state = 'retrying' and d.batch_last is not null), -1) again, p.source
from unnest($1::int[]) n (source)
join positions o on o.source = n.source
join positions p on p.topic = o.topic and p.partition = o.partition`

// Backlogs says what is parked for partitions, where there is something.
func (s *Store) Backlogs(ctx context.Context, sources []int32) (map[int32]worker.Backlog, error) {
	backlogs := map[int32]worker.Backlog{}
	var source int32
	var found worker.Backlog
	return backlogs, s.each(ctx, "look for parked commands", []any{&source, &found.Work, &found.Held, &found.Newer, &found.Again.Row, &found.Again.Source}, func() error {
		if found.Work || found.Held > 0 || found.Again.Row >= 0 {
			b := backlogs[source]
			again := b.Again
			if again.Source == 0 && found.Again.Row >= 0 {
				again = found.Again
			}
			backlogs[source] = worker.Backlog{
				Work: b.Work || found.Work, Held: b.Held + found.Held - found.Newer, Newer: b.Newer + found.Newer, Again: again,
			}
		}
		return nil
	}, backlogsSQL, sources, notNull(s.service.Later))
}

// NextRedrive gives what may be applied now of what is parked for a partition: first the dead
// letters on which an operator decided, or that need not wait for a newer worker any longer, then
// what waits behind one that is decided. It counts the attempt.
func (s *Store) NextRedrive(ctx context.Context, source int32, most int, forget bool) (batch worker.RedriveBatch, err error) {
	return batch, s.guardedAt(ctx, "read parked commands", 0, func(ctx context.Context, conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
			if batch, err = decidedLetters(ctx, tx, source, notNull(s.service.Later), most, forget); err != nil || len(batch.Records) > 0 {
				return err
			}
			batch, err = waitingCommands(ctx, tx, source, most, forget)
			return err
		})
	})
}

// A command's next event is numbered after those of all its dead letters of the same time that its
// offset came by: see counted.
const (
	decidedSQL = `
with letters as (
    select d.source, d.row_no from dead_letters d
    where d.source in ` + ownSQL + ` and d.state in ('retrying', 'discarding') and (d.batch_last is null or d.state = 'discarding')
    union all
    select source, row_no from held_keys k join dead_letters d using (source, row_no) where k.source in ` + ownSQL + ` and ` + waitedSQL + `)
select d.source, d.row_no, d.state = 'discarding', d.state = 'open', coalesce(k.key, ''),
    (select max(e.first_event) from dead_letters e where coalesce(e.command_source, e.source) = coalesce(d.command_source, d.source)
        and e.command_offset = d.command_offset and e.first_event / 1000000 = d.first_event / 1000000), d.retries, d.command_offset, coalesce(d.command_time, -1),
    d.record_key, d.value, d.headers, p.source, p.topic, p.topic_id, p.partition
from letters join dead_letters d using (source, row_no)
left join held_keys k using (source, row_no)
join positions p on p.source = coalesce(d.command_source, d.source)
order by d.source, d.row_no limit $3`

	attemptLetterSQL = `update dead_letters set attempts = case when $3 then 1 else attempts + 1 end where source = $1 and row_no = $2 returning attempts`

	freedSQL = `
select k.key from held_keys k join dead_letters d using (source, row_no)
where k.source in ` + ownSQL + ` and d.state in ('retried', 'discarded')
order by k.held_at, k.key limit 1`

	attemptKeySQL = `update held_keys set attempts = case when $2 then 1 else attempts + 1 end where key = $1 returning attempts`

	waitingCommandsSQL = `
select h.seq, h.key,
    greatest(h.first_event, (select max(e.first_event) from dead_letters e where coalesce(e.command_source, e.source) = h.command_source
        and e.command_offset = h.command_offset and e.first_event / 1000000 = h.first_event / 1000000)), h.retries, now() - h.held_at,
    h.command_offset, coalesce(h.command_time, -1), h.record_key, h.value, h.headers, p.source, p.topic, p.topic_id, p.partition
from held_commands h join positions p on p.source = h.command_source
where h.key = $1 order by h.seq limit $2`
)

func decidedLetters(ctx context.Context, tx pgx.Tx, source int32, known []string, most int, forget bool) (batch worker.RedriveBatch, err error) {
	batch.Records, err = parkedRecords(ctx, tx, func(r *worker.ParkedRecord) []any {
		return []any{&r.Letter.Source, &r.Letter.Row, &r.Discard, &r.Newer, &r.HeldKey, &r.Event, &r.Retries}
	}, decidedSQL, source, known, most)
	if err != nil || len(batch.Records) == 0 {
		return batch, err
	}
	first := batch.Records[0].Letter
	err = tx.QueryRow(ctx, attemptLetterSQL, first.Source, first.Row, forget).Scan(&batch.Attempts)
	return batch, err
}

func waitingCommands(ctx context.Context, tx pgx.Tx, source int32, most int, forget bool) (batch worker.RedriveBatch, err error) {
	var key string
	if err := tx.QueryRow(ctx, freedSQL, source).Scan(&key); err != nil {
		return batch, ignoreNone(err)
	}
	batch.Records, err = parkedRecords(ctx, tx, func(r *worker.ParkedRecord) []any {
		return []any{&r.Seq, &r.HeldKey, &r.Event, &r.Retries, &r.Waited}
	}, waitingCommandsSQL, key, most+1)
	if err != nil {
		return batch, err
	}
	if len(batch.Records) > most || sizeOf(batch.Records) >= maxParkedBytes {
		batch.Records = batch.Records[:min(most, len(batch.Records))]
	} else {
		batch.Free = key
	}
	err = tx.QueryRow(ctx, attemptKeySQL, key, forget).Scan(&batch.Attempts)
	return batch, err
}

func ignoreNone(err error) error {
	if err == pgx.ErrNoRows { //nolint:errorlint // Scan returns it as it is
		return nil
	}
	return err
}

// parkedRecords reads parked commands; own are the columns that come before those that all of them
// have.
func parkedRecords(ctx context.Context, tx pgx.Tx, own func(*worker.ParkedRecord) []any, sql string, args ...any) ([]worker.ParkedRecord, error) {
	rows, _ := tx.Query(ctx, sql, args...) // its error is that of the rows, too
	defer rows.Close()
	var records []worker.ParkedRecord
	for sizeOf(records) < maxParkedBytes && rows.Next() {
		var r worker.ParkedRecord
		var headers []byte
		columns := append(own(&r), &r.Offset, &r.Time, &r.Key, &r.Value, &headers, &r.From.ID, &r.From.Topic, &r.From.TopicID, &r.From.Partition)
		err := rows.Scan(columns...)
		if err == nil {
			r.Headers, err = outbox.DecodeHeaders(headers)
		}
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, rows.Err()
}

// maxParkedBytes bounds what is read at once of parked commands; the last one may exceed it.
const maxParkedBytes = 8 << 20

func sizeOf(records []worker.ParkedRecord) (n int) {
	for i := range records {
		n += len(records[i].Value) + len(records[i].Key) + 256
		for _, h := range records[i].Headers {
			n += len(h.Key) + len(h.Value)
		}
	}
	return n
}

// BeginProbe notes that a partition's records up to an offset are about to be applied.
func (s *Store) BeginProbe(ctx context.Context, move worker.PositionMove, end int64, reset bool) (p worker.Probe, err error) {
	return p, s.guardedAt(ctx, "begin probe", move.From, func(ctx context.Context, conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, `select earlier, coalesce(reached, 0) from begin_probe($1, $2, $3, $4, $5)`,
			move.Source.ID, move.Token, move.From, end, reset).Scan(&p.Crashes, &p.LargestEnd)
	})
}
