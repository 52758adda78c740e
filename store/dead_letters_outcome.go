package store

import (
	"context"

	"allocation/worker"
)

// The results of a decision.
const (
	OutcomePending   = "pending"   // the partition's owner has not done it yet
	OutcomeApplied   = "applied"   // the command took effect, or had none to take
	OutcomeRefused   = "refused"   // it was refused again, and is an open dead letter again
	OutcomeFailed    = "failed"    // it failed again, and is an open dead letter again; its key is held where it is known
	OutcomeWaits     = "waits"     // it waits behind a held key, and is applied when that is free
	OutcomeDiscarded = "discarded" // it never takes effect
	OutcomeStopped   = "stopped"   // a batch of records could not be read to its end, and is an open dead letter again
)

// Outcome is what came of a decision.
type Outcome struct {
	Result  string `json:"result"`
	Reason  string `json:"reason,omitempty"`      // of the new dead letter
	Message string `json:"message,omitempty"`     // of the new dead letter
	Key     string `json:"held_key,omitempty"`    // the held one behind which it waits
	Next    int64  `json:"next_offset,omitempty"` // of a batch of records that is read again: those before it are done
}

// A new letter of the command is from the very transaction that resolved the old one, or from a
// later one where the command waited in between.
const outcomesSQL = `
select d.source, d.row_no, d.state, coalesce(n.reason, ''), coalesce(n.message, ''), coalesce(h.key, n.key, ''),
    coalesce(d.batch_problem, ''), d.batch_next
from unnest($1::int[], $2::bigint[]) v (source, row_no)
join dead_letters d on d.source = v.source and d.row_no = v.row_no
left join lateral (
    select n.reason, n.message, n.key from dead_letters n
    where d.batch_last is null and coalesce(n.command_source, n.source) = coalesce(d.command_source, d.source) and n.command_offset = d.command_offset
        and n.recorded_at >= d.resolved_at and (n.source, n.row_no) <> (d.source, d.row_no)
    order by n.recorded_at desc, n.row_no desc limit 1) n on true
left join lateral (
    select h.key from held_commands h
    where d.batch_last is null and h.command_source = coalesce(d.command_source, d.source) and h.command_offset = d.command_offset limit 1) h on true`

// Outcomes says what came of decisions so far, letter by letter.
func (s *Store) Outcomes(ctx context.Context, letters []Letter) ([]Outcome, error) {
	sources, numbers := letterRows(letters)
	found := make(map[worker.LetterID]Outcome, len(letters))
	var id worker.LetterID
	var state, reason, message, key, problem string
	var next *int64
	err := s.each(ctx, "look for outcomes", []any{&id.Source, &id.Row, &state, &reason, &message, &key, &problem, &next}, func() error {
		o := outcome(state, reason, message, key)
		if state == LetterOpen && problem != "" {
			o = Outcome{Result: OutcomeStopped, Message: problem}
		}
		if next != nil {
			o.Next = *next
		}
		found[id] = o
		return nil
	}, outcomesSQL, sources, numbers)
	outcomes := make([]Outcome, len(letters))
	for i := range letters {
		outcomes[i] = found[letters[i].row]
	}
	return outcomes, err
}

func outcome(state, reason, message, key string) Outcome {
	switch {
	case state == LetterDiscarded:
		return Outcome{Result: OutcomeDiscarded}
	case state != LetterRetried:
		return Outcome{Result: OutcomePending}
	case reason == reasonInternal:
		return Outcome{Result: OutcomeFailed, Reason: reason, Message: message}
	case reason == worker.ReasonNewer:
		return Outcome{Result: OutcomeWaits, Key: key} // it waited behind a held key, and holds it now
	case reason != "":
		return Outcome{Result: OutcomeRefused, Reason: reason, Message: message}
	case key != "":
		return Outcome{Result: OutcomeWaits, Key: key}
	}
	return Outcome{Result: OutcomeApplied}
}
