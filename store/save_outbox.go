package store

import (
	"cmp"
	"slices"

	"allocation/outbox"
	"allocation/worker"
)

// Most rows refer to no other row, have no trace, and no key of a record apart. The columns of
// these are left out where no row of a transaction needs them.
const (
	outboxColumns = 14
	linkColumns   = 15
	outboxFields  = `source, row_no, day, command_offset, event_no, type, key, subject, sequence, value, command_id, correlation_id, command_time, key_back`
	linkFields    = `traceparent, tracestate, after_source, after_row, previous_source, previous_row, previous_day, command_source, letter_source, letter_row, record_key, also_source,
    also_row, also_day, note`
	copyOutboxSQL = `copy outbox (` + outboxFields + `) from stdin (format binary)`
	copyLinkedSQL = `copy outbox (` + outboxFields + `, ` + linkFields + `) from stdin (format binary)`
)

func queueOutbox(p *Pipeline, transaction worker.Transaction, t *txRows) {
	if !slices.ContainsFunc(t.rows, func(rows []outbox.Row) bool { return len(rows) > 0 }) {
		return
	}
	letters, linked := t.parked.letters(), t.linked || len(t.parked.decided) > 0 || t.parked.reread != nil
	sql, columns := copyOutboxSQL, outboxColumns
	if linked {
		sql, columns = copyLinkedSQL, outboxColumns+linkColumns
	}
	p.copyLast(sql, columns, func(to *CopyRows) {
		for move, rows := range t.rows {
			source := transaction.Moves[move].Source.ID
			for i := range rows {
				kept := &t.beside[move][i]
				copyOutboxRow(to, source, t.today, &rows[i], kept.back)
				if linked {
					copyLinks(to, &rows[i], cmp.Or(kept.threads, &noThreads), letters[rows[i].Number])
				}
			}
		}
	})
}

func copyOutboxRow(to *CopyRows, source int32, today day, row *outbox.Row, back int32) {
	to.Row()
	to.Int32(source)
	to.Int64(row.Number)
	to.day(today)
	to.Int64(row.Offset)
	to.Int32(row.Event)
	to.Text(typeOf(row))
	to.Text(row.Key)
	to.Text(row.Subject)
	to.natural(row.Sequence)
	to.Bytes(row.Value)
	to.Optional(row.Cause.CommandID)
	to.Optional(row.Cause.CorrelationID)
	if row.Cause.Time == outbox.NoTime {
		to.null()
	} else {
		to.Int64(row.Cause.Time)
	}
	if back == 0 {
		to.null()
	} else {
		to.Int32(back)
	}
}

var noThreads threads

// copyLinks writes what a row refers to, its trace and its note. Each part is null where there is
// nothing: sources count from 1.
func copyLinks(to *CopyRows, row *outbox.Row, kept *threads, letter worker.LetterID) {
	to.Optional(row.Cause.TraceParent)
	to.Optional(row.Cause.TraceState)
	to.link(row.After.Source, row.After.Row)
	to.thread(kept.previous)
	if row.From != nil {
		to.Int32(row.From.ID)
	} else {
		to.null()
	}
	to.link(letter.Source, letter.Row)
	to.Optional(row.RecordKey)
	to.thread(kept.also)
	to.Optional(string(kept.note))
}

// thread writes the event that a row continues.
func (r *CopyRows) thread(last Ref) {
	if last.Source == 0 {
		r.nulls(3)
		return
	}
	r.Ref(last)
}

// link writes the source and the number of a row.
func (r *CopyRows) link(source int32, row int64) {
	if source == 0 {
		r.nulls(2)
		return
	}
	r.Int32(source)
	r.Int64(row)
}

// natural is null where the number is 0.
func (r *CopyRows) natural(n int64) {
	if n == 0 {
		r.null()
		return
	}
	r.Int64(n)
}

// typeOf is a row's type as the table has it.
func typeOf(row *outbox.Row) string {
	if d := row.DeadLetter; d != nil && d.Decision != "" {
		return decisionType + string(d.Decision)
	}
	return row.Type
}

const insertDeadLettersSQL = `
insert into dead_letters (source, row_no, command_source, command_offset, command_time, reason, message, type, key, record_key, value, headers, first_event, retries,
    batch_last, batch_records, batch_bytes, batch_codec, command_id, correlation_id, subject)
select source, row_no, nullif(command_source, source), command_offset, nullif(command_time, -1), reason, message, nullif(type, ''), nullif(key, ''), record_key, value, headers,
    first_event, retries, batch_last, batch_records, batch_bytes, batch_codec, nullif(command_id, ''), nullif(correlation_id, ''), nullif(subject, '')
from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bytea[], $11::bytea[],
    $12::int[], $13::int[], $14::int[], $15::bigint[], $16::int[], $17::int[], $18::text[], $19::text[], $20::text[], $21::text[])
     v (source, row_no, command_offset, command_time, reason, message, type, key, record_key, value, headers, command_source, first_event, retries,
    batch_last, batch_records, batch_bytes, batch_codec, command_id, correlation_id, subject)`

func queueDeadLetters(p *Pipeline, transaction worker.Transaction, t *txRows) {
	n := len(t.refused)
	if n == 0 {
		return
	}
	sources, rows, offsets, times := make([]int32, n), make([]int64, n), make([]int64, n), make([]int64, n)
	reasons, messages, types, names := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	from, events, retries := make([]int32, n), make([]int32, n), make([]int32, n)
	keys, values, headers := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	lasts, records, bytes, codecs := make([]*int64, n), make([]*int32, n), make([]*int32, n), make([]*string, n)
	ids, correlations, subjects := make([]string, n), make([]string, n), make([]string, n)
	for i, r := range t.refused {
		ids[i], correlations[i] = r.command.Cause.CommandID, r.command.Cause.CorrelationID
		subjects[i] = r.subject
		sources[i], rows[i], offsets[i], times[i] = transaction.Moves[r.move].Source.ID, r.row, r.command.Offset, r.command.Cause.Time
		reasons[i], messages[i], types[i], names[i] = r.letter.Reason, r.letter.Message, cmp.Or(r.command.Type, r.command.Newer), r.key
		keys[i], values[i], headers[i] = r.letter.Key, r.letter.Value, outbox.EncodeHeaders(r.letter.Headers)
		from[i], events[i], retries[i] = sourceOf(&transaction, r.command), int32(r.event), timesRetried(r.command) //nolint:gosec // as in event
		if b := r.letter.Batch; b != nil {
			lasts[i], records[i], bytes[i], codecs[i] = &b.Last, &b.Records, &b.Bytes, &b.Codec
		}
	}
	p.Execute(insertDeadLettersSQL, sources, rows, offsets, times, reasons, messages, types, names, keys, values, headers,
		from, events, retries, lasts, records, bytes, codecs, ids, correlations, subjects)
}
