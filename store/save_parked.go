package store

import (
	"allocation/outbox"
	"allocation/worker"
)

// letters are the dead letters that rows tell of, by row: a transaction with decisions has one
// move.
func (p *parked) letters() map[int64]worker.LetterID {
	if len(p.decided) == 0 && p.reread == nil {
		return nil
	}
	letters := make(map[int64]worker.LetterID, len(p.decided)+1)
	if p.reread != nil && p.reread.Done {
		letters[p.rereadRow] = p.reread.Letter
	}
	for _, d := range p.decided {
		letters[d.row] = d.command.Parked.Letter
	}
	return letters
}

const (
	decideSQL = `
with updated as (
    update dead_letters d
    set state = case d.state when 'discarding' then 'discarded' else 'retried' end, resolved_at = now(), first_event = v.event, attempts = 0
    from unnest($1::int[], $2::bigint[], $3::int[], $4::text[]) v (source, row_no, event, state)
    where d.source = v.source and d.row_no = v.row_no and d.state = v.state returning 1)
select expect_count((select count(*) from updated), $5, 'dead letters decided')`

	holdSQL = `insert into held_keys (key, source, row_no, creates, waits_until) values ($1, $2, $3, nullif($4, ''), ` + waitsUntilSQL + `)`

	waitsUntilSQL = `case when $5::bigint > 0 then now() + $5 * interval '1 microsecond' end`

	holdAgainSQL = `
with updated as (
    update held_keys set source = $2, row_no = $3, creates = nullif($4, ''), attempts = 0, held_at = now(), waits_until = ` + waitsUntilSQL + ` where key = $1 returning 1)
select expect_count((select count(*) from updated), 1, 'held keys updated')`

	waitSQL = `
insert into held_commands (key, command_source, command_offset, command_time, first_event, retries, creates, record_key, value, headers, command_id, correlation_id, subject)
select key, command_source, command_offset, nullif(command_time, -1), first_event, retries, nullif(creates, ''), record_key, value, headers,
    nullif(command_id, ''), nullif(correlation_id, ''), nullif(subject, '')
from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::int[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::int[],
    $11::text[], $12::text[], $13::text[])
     with ordinality v (key, command_source, command_offset, command_time, first_event, creates, record_key, value, headers, retries, command_id, correlation_id, subject, n)
order by n`

	appliedSQL = `
with deleted as (delete from held_commands where seq = any($1) returning key),
     reset as (update held_keys set attempts = 0 where attempts > 0 and key in (select key from deleted))
select expect_count((select count(*) from deleted), $2, 'waiting commands applied')`

	countSQL = `
update dead_letters d set first_event = v.next from unnest($1::int[], $2::bigint[], $3::int[], $4::int[]) v (source, command_offset, time, next)
where coalesce(d.command_source, d.source) = v.source and d.command_offset = v.command_offset and d.first_event / 1000000 = v.time
    and d.first_event < v.next`

	freeSQL = `
with deleted as (delete from held_keys where key = any($1) returning 1)
select expect_count((select count(*) from deleted), $2, 'held keys freed')`
)

// queueParked writes what is parked from now on, and what is parked no longer. It comes after the
// dead letters, which hold keys.
func queueParked(p *Pipeline, t *txRows) {
	parked := &t.parked
	queueDecided(p, parked.decided)
	queueReread(p, parked.reread)
	for _, h := range parked.holds {
		sql := holdSQL
		if h.again {
			sql = holdAgainSQL
		}
		p.Execute(sql, h.key, h.source, h.row, h.name, h.wait.Microseconds())
	}
	queueWaiting(p, parked.waiting)
	if n := len(parked.applied); n > 0 {
		seqs := make([]int64, n)
		for i, c := range parked.applied {
			seqs[i] = c.Parked.Seq
		}
		p.Execute(appliedSQL, seqs, n)
	}
	queueCounts(p, parked.next)
	if n := len(parked.free); n > 0 {
		p.Execute(freeSQL, parked.free, n)
	}
}

func queueDecided(p *Pipeline, decided []decided) {
	n := len(decided)
	if n == 0 {
		return
	}
	sources, rows, events, states := make([]int32, n), make([]int64, n), make([]int32, n), make([]string, n)
	for i, d := range decided {
		letter := d.command.Parked.Letter
		sources[i], rows[i], events[i], states[i] = letter.Source, letter.Row, d.event, LetterRetrying
		switch {
		case d.command.Parked.Discard:
			states[i] = LetterDiscarding
		case d.command.Parked.Newer:
			states[i] = LetterOpen
		}
	}
	p.Execute(decideSQL, sources, rows, events, states, n)
}

func queueWaiting(p *Pipeline, waiting []waiting) {
	n := len(waiting)
	if n == 0 {
		return
	}
	keys, sources, offsets, times := make([]string, n), make([]int32, n), make([]int64, n), make([]int64, n)
	events, again, refs := make([]int32, n), make([]int32, n), make([]string, n)
	recordKeys, values, headers := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	ids, correlations, subjects := make([]string, n), make([]string, n), make([]string, n)
	for i, w := range waiting {
		c := w.command
		ids[i], correlations[i] = c.Cause.CommandID, c.Cause.CorrelationID
		subjects[i] = w.subject
		keys[i], sources[i], offsets[i], times[i] = w.key, w.source, c.Offset, c.Cause.Time
		events[i], again[i], refs[i] = w.event, timesRetried(c), w.name
		recordKeys[i], values[i], headers[i] = c.Key, c.Value, outbox.EncodeHeaders(c.Headers)
	}
	p.Execute(waitSQL, keys, sources, offsets, times, events, refs, recordKeys, values, headers, again, ids, correlations, subjects)
}

// queueCounts has the dead letters of parked commands know how far their events are numbered.
func queueCounts(p *Pipeline, next map[counted]int32) {
	if len(next) == 0 {
		return
	}
	var sources, times, numbers []int32
	var offsets []int64
	for c, n := range next {
		sources, offsets, times, numbers = append(sources, c.source), append(offsets, c.offset), append(times, c.time), append(numbers, n)
	}
	p.Execute(countSQL, sources, offsets, times, numbers)
}
