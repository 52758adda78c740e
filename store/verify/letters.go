package verify

import (
	"context"
	"fmt"

	"allocation/worker"
)

type letterRow struct {
	Source   int32
	Row      int64
	Key      string
	State    string
	Resolved bool
	Known    bool  // the source has a position
	NextRow  int64 // of the position
	HasRow   bool  // the outbox has its row
	IsLetter bool  // which is one of a dead letter
	Older    bool  // the outbox keeps an older row, so this one should be there
}

type heldRow struct {
	Key    string
	Source int32
	Row    int64
	Reason *string
	State  *string
}

const (
	lettersSQL = `
select d.source, d.row_no, coalesce(d.key, ''), d.state, d.resolved_at is not null, p.source is not null, coalesce(p.next_row, 0), o.row_no is not null,
    coalesce(o.type = '', false),
    o.row_no is null and exists (select from outbox e where e.source = d.source and e.row_no < d.row_no)
from (select * from dead_letters where (source, row_no) > ($1, $2) order by source, row_no limit $3) d
left join lateral (select * from positions where source = d.source limit 1) p on true
left join lateral (select row_no, type from outbox where source = d.source and row_no = d.row_no limit 1) o on true
order by d.source, d.row_no`

	heldSQL = `
select h.key, h.source, h.row_no, d.reason, d.state
from (select * from held_keys where key > $1 order by key limit $2) h
left join lateral (select * from dead_letters where source = h.source and row_no = h.row_no limit 1) d on true
order by h.key`
)

func (v *Verifier) checkLetters(ctx context.Context) error {
	err := Walk(ctx, v, "dead letters", lettersSQL, func(after *letterRow) []any {
		return []any{after.Source, rowAfter(after.Source, after.Row)}
	}, v.checkLetter)
	if err != nil {
		return err
	}
	return Walk(ctx, v, "held "+v.aggregate.Table, heldSQL, func(after *heldRow) []any { return []any{after.Key} }, v.checkHeld)
}

func (v *Verifier) checkLetter(l *letterRow) {
	v.summary.DeadLetters++
	if !v.Wants(l.Key) {
		return
	}
	if !l.HasRow && !l.Older {
		v.summary.LettersCut++
	}
	key := fmt.Sprintf("source %d, row %d", l.Source, l.Row)
	done := l.State == "retried" || l.State == "discarded"
	switch {
	case !l.Known:
		v.Report(CheckLetter, l.Key, "dead_letters", key, "a position of that source", "none")
	case l.Row >= l.NextRow:
		v.Report(CheckLetter, l.Key, "dead_letters", key, fmt.Sprintf("a row below next_row, %d", l.NextRow), fmt.Sprintf("row %d", l.Row))
	case l.Older && !v.days.holes():
		v.Report(CheckLetter, l.Key, "dead_letters", key, "an outbox row that publishes it", "none")
	case l.HasRow && !l.IsLetter:
		v.Report(CheckLetter, l.Key, "dead_letters", key, "an outbox row of a dead letter", "one of an event")
	case done && !l.Resolved:
		v.Report(CheckLetter, l.Key, "dead_letters", key, "resolved_at, because its state is "+l.State, "none")
	}
}

func (v *Verifier) checkHeld(h *heldRow) {
	if !v.Wants(h.Key) {
		return
	}
	letter := fmt.Sprintf("the dead letter of source %d, row %d", h.Source, h.Row)
	switch {
	case h.Reason == nil:
		v.Report(CheckHeld, h.Key, "held_keys", h.Key, letter, "there is none")
	case *h.Reason != "internal" && *h.Reason != worker.ReasonNewer:
		v.Report(CheckHeld, h.Key, "held_keys", h.Key, letter+" has the reason internal or "+worker.ReasonNewer, "it has "+*h.Reason)
	case *h.State == "retried" || *h.State == "discarded":
		v.Report(CheckHeld, h.Key, "held_keys", h.Key, letter+" is still to be decided or done", "it is "+*h.State)
	}
}
