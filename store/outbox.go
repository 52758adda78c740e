package store

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"allocation/outbox"
)

// Bounds of one read of the outbox.
const (
	drainRows  = 2000
	drainBytes = 8 << 20
)

const outboxRowsSQL = `
select o.row_no, o.command_offset, o.event_no, o.type, o.key, o.subject, coalesce(o.sequence, 0), o.value, coalesce(o.command_id, ''),
    coalesce(o.correlation_id, ''), coalesce(o.traceparent, ''), coalesce(o.tracestate, ''), coalesce(o.command_time, -1),
    coalesce(o.after_source, 0), coalesce(o.after_row, 0), coalesce(f.source, 0), coalesce(f.topic, ''), coalesce(f.topic_id, '00000000-0000-0000-0000-000000000000'),
    coalesce(f.partition, 0), d.reason, d.message, d.record_key, d.value, d.headers, d.batch_last, coalesce(d.batch_records, 0), coalesce(d.batch_bytes, 0),
    coalesce(d.batch_codec, ''), coalesce(o.record_key, '')
from outbox o
left join positions f on f.source = o.command_source
left join dead_letters d on o.type in ('', 'dlq-retried', 'dlq-discarded')
    and d.source = coalesce(o.letter_source, o.source) and d.row_no = coalesce(o.letter_row, o.row_no)
where o.source = $1 and o.row_no >= $2 and o.row_no < $3
order by o.row_no limit $4`

// Rows reads committed rows [from, to) of a source in order, at most a few thousand or a few
// megabytes, but at least one if there is one.
func (s *Store) Rows(ctx context.Context, source outbox.Source, from, to int64) ([]outbox.Row, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rows, _ := s.pool.Query(ctx, outboxRowsSQL, source.ID, from, to, drainRows) // its error is that of the rows, too
	defer rows.Close()
	var out []outbox.Row
	size := 0
	for size < drainBytes && rows.Next() {
		row, err := scanOutboxRow(rows)
		if err != nil {
			return nil, readError("read outbox", err)
		}
		out = append(out, row)
		size += len(row.Value)
		if row.DeadLetter != nil {
			size += len(row.DeadLetter.Value)
		}
	}
	rows.Close()
	return out, readError("read outbox", rows.Err())
}

// decisionType begins the type of a row that tells of an operator's decision.
const decisionType = "dlq-"

func scanOutboxRow(rows pgx.Rows) (outbox.Row, error) {
	r := outbox.Row{Cause: &outbox.Cause{}}
	var reason, message *string
	var key, value, headers []byte
	var from outbox.Source
	var last *int64
	var batch outbox.RecordBatch
	err := rows.Scan(&r.Number, &r.Offset, &r.Event, &r.Type, &r.Key, &r.Subject, &r.Sequence, &r.Value, &r.Cause.CommandID,
		&r.Cause.CorrelationID, &r.Cause.TraceParent, &r.Cause.TraceState, &r.Cause.Time, &r.After.Source, &r.After.Row,
		&from.ID, &from.Topic, &from.TopicID, &from.Partition, &reason, &message, &key, &value, &headers,
		&last, &batch.Records, &batch.Bytes, &batch.Codec, &r.RecordKey)
	if from.ID != 0 {
		r.From = &from
	}
	if err != nil || reason == nil {
		return r, err
	}
	r.Value = nil
	if decision, ok := strings.CutPrefix(r.Type, decisionType); ok {
		r.Type = ""
		r.DeadLetter = &outbox.DeadLetter{Decision: outbox.Decision(decision), Key: key}
		return r, nil
	}
	r.DeadLetter = &outbox.DeadLetter{Reason: *reason, Message: *message, Key: key, Value: value}
	if last != nil {
		batch.Last = *last
		r.DeadLetter.Batch = &batch
	}
	r.DeadLetter.Headers, err = outbox.DecodeHeaders(headers)
	return r, err
}
