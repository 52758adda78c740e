package store

import (
	"github.com/jackc/pgx/v5"

	"allocation/outbox"
	"allocation/worker"
)

// outboxRows are outbox rows as arrays.
type outboxRows struct {
	sources                                     []int32
	rows, offsets                               []int64
	events                                      []int32
	types, keys, subjects                       []string
	sequences                                   []int64
	values                                      [][]byte
	commandIDs, correlationIDs, parents, states []string
	times                                       []int64
	afterSources, previousSources               []int32
	afterRows, previousRows                     []int64
	previousDays                                []string
	commandSources, letterSources               []int32
	letterRows                                  []int64
}

func (r *outboxRows) add(source int32, row *outbox.Row, previous history, letter worker.LetterID) {
	value := row.Value
	if value == nil {
		value = []byte{}
	}
	r.sources, r.rows, r.offsets = append(r.sources, source), append(r.rows, row.Number), append(r.offsets, row.Offset)
	r.events, r.types, r.keys = append(r.events, row.Event), append(r.types, typeOf(row)), append(r.keys, row.Key)
	r.subjects, r.sequences, r.values = append(r.subjects, row.Subject), append(r.sequences, row.Sequence), append(r.values, value)
	r.commandIDs, r.correlationIDs = append(r.commandIDs, row.Cause.CommandID), append(r.correlationIDs, row.Cause.CorrelationID)
	r.parents, r.states = append(r.parents, row.Cause.TraceParent), append(r.states, row.Cause.TraceState)
	r.times = append(r.times, row.Cause.Time)
	r.afterSources, r.afterRows = append(r.afterSources, row.After.Source), append(r.afterRows, row.After.Row)
	r.previousSources, r.previousRows = append(r.previousSources, previous.source), append(r.previousRows, previous.row)
	r.previousDays = append(r.previousDays, previous.day)
	r.commandSources = append(r.commandSources, idOf(row.From))
	r.letterSources, r.letterRows = append(r.letterSources, letter.Source), append(r.letterRows, letter.Row)
}

func idOf(s *outbox.Source) int32 {
	if s == nil {
		return 0
	}
	return s.ID
}

// typeOf is a row's type as the table has it.
func typeOf(row *outbox.Row) string {
	if d := row.DeadLetter; d != nil && d.Decision != "" {
		return decisionType + string(d.Decision)
	}
	return row.Type
}

const insertOutboxSQL = `
insert into outbox (source, row_no, command_offset, event_no, type, key, subject, sequence, value, command_id, correlation_id, traceparent, tracestate,
    command_time, after_source, after_row, previous_source, previous_row, previous_day, command_source, letter_source, letter_row)
select source, row_no, command_offset, event_no, type, key, subject, nullif(sequence, 0), value,
    nullif(command_id, ''), nullif(correlation_id, ''), nullif(traceparent, ''), nullif(tracestate, ''), nullif(command_time, -1),
    nullif(after_source, 0), case when after_source > 0 then after_row end,
    nullif(previous_source, 0), case when previous_source > 0 then previous_row end,
    case when previous_source > 0 then coalesce(nullif(previous_day, '')::date, ` + todaySQL + `) end,
    nullif(command_source, 0), nullif(letter_source, 0), case when letter_source > 0 then letter_row end
from unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bytea[],
    $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[], $15::int[], $16::bigint[], $17::int[], $18::bigint[], $19::text[],
    $20::int[], $21::int[], $22::bigint[])
    v (source, row_no, command_offset, event_no, type, key, subject, sequence, value, command_id, correlation_id, traceparent, tracestate,
    command_time, after_source, after_row, previous_source, previous_row, previous_day, command_source, letter_source, letter_row)`

func queueOutbox(b *pgx.Batch, batch worker.Batch, l *ledger) {
	var r outboxRows
	letters := l.kept.letters()
	for lane, rows := range l.rows {
		for i := range rows {
			r.add(batch.Lanes[lane].Source.ID, &rows[i], l.previous[lane][i], letters[rows[i].Number])
		}
	}
	if len(r.sources) > 0 {
		b.Queue(insertOutboxSQL, r.sources, r.rows, r.offsets, r.events, r.types, r.keys, r.subjects, r.sequences, r.values,
			r.commandIDs, r.correlationIDs, r.parents, r.states, r.times, r.afterSources, r.afterRows, r.previousSources, r.previousRows, r.previousDays,
			r.commandSources, r.letterSources, r.letterRows)
	}
}

const insertDeadLettersSQL = `
insert into dead_letters (source, row_no, command_source, command_offset, command_time, reason, message, type, sku, key, value, headers, first_event, retries)
select source, row_no, nullif(command_source, source), command_offset, nullif(command_time, -1), reason, message, nullif(type, ''), nullif(sku, ''), key, value, headers,
    first_event, retries
from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bytea[], $11::bytea[],
    $12::int[], $13::int[], $14::int[])
     v (source, row_no, command_offset, command_time, reason, message, type, sku, key, value, headers, command_source, first_event, retries)`

func queueDeadLetters(b *pgx.Batch, batch worker.Batch, l *ledger) {
	n := len(l.refused)
	if n == 0 {
		return
	}
	sources, rows, offsets, times := make([]int32, n), make([]int64, n), make([]int64, n), make([]int64, n)
	reasons, messages, types, skus := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	from, events, retries := make([]int32, n), make([]int32, n), make([]int32, n)
	keys, values, headers := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	for i, r := range l.refused {
		sources[i], rows[i], offsets[i], times[i] = batch.Lanes[r.lane].Source.ID, r.row, r.command.Offset, r.command.Cause.Time
		reasons[i], messages[i], types[i], skus[i] = r.letter.Reason, r.letter.Message, r.command.Type, r.sku
		keys[i], values[i], headers[i] = r.letter.Key, r.letter.Value, encodeHeaders(r.letter.Headers)
		from[i], events[i], retries[i] = sourceOf(&batch, r.command), int32(r.event), r.retries //nolint:gosec // as in event
	}
	b.Queue(insertDeadLettersSQL, sources, rows, offsets, times, reasons, messages, types, skus, keys, values, headers,
		from, events, retries)
}
