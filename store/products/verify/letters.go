package verify

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

type letterRow struct {
	Source   int32
	Row      int64
	SKU      string
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
select d.source, d.row_no, coalesce(d.sku, ''), d.state, d.resolved_at is not null, p.source is not null, coalesce(p.next_row, 0), o.row_no is not null,
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

func (v *verifier) checkLetters(ctx context.Context) error {
	letters := func(tx pgx.Tx, after letterRow, limit int) ([]letterRow, error) {
		if after.Source == 0 {
			after.Row = -1
		}
		return collect[letterRow](ctx, tx, lettersSQL, after.Source, after.Row, limit)
	}
	err := walk(ctx, v, "dead letters", letters, func(_ pgx.Tx, rows []letterRow) error {
		v.summary.DeadLetters += int64(len(rows))
		for i := range rows {
			if err := v.checkLetter(&rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	held := func(tx pgx.Tx, after heldRow, limit int) ([]heldRow, error) {
		return collect[heldRow](ctx, tx, heldSQL, after.Key, limit)
	}
	return walk(ctx, v, "held products", held, func(_ pgx.Tx, rows []heldRow) error {
		for i := range rows {
			if err := v.checkHeld(&rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *verifier) checkLetter(l *letterRow) error {
	if !v.wants(l.SKU) {
		return nil
	}
	if !l.HasRow && !l.Older {
		v.summary.LettersCut++
	}
	key := fmt.Sprintf("source %d, row %d", l.Source, l.Row)
	done := l.State == "retried" || l.State == "discarded"
	switch {
	case !l.Known:
		return v.report(CheckLetter, l.SKU, "dead_letters", key, "a position of that source", "none")
	case l.Row >= l.NextRow:
		return v.report(CheckLetter, l.SKU, "dead_letters", key, fmt.Sprintf("a row below next_row, %d", l.NextRow), fmt.Sprintf("row %d", l.Row))
	case l.Older && !v.days.holes():
		return v.report(CheckLetter, l.SKU, "dead_letters", key, "an outbox row that publishes it", "none")
	case l.HasRow && !l.IsLetter:
		return v.report(CheckLetter, l.SKU, "dead_letters", key, "an outbox row of a dead letter", "one of an event")
	case done && !l.Resolved:
		return v.report(CheckLetter, l.SKU, "dead_letters", key, "resolved_at, because its state is "+l.State, "none")
	}
	return nil
}

func (v *verifier) checkHeld(h *heldRow) error {
	if !v.wants(h.Key) {
		return nil
	}
	letter := fmt.Sprintf("the dead letter of source %d, row %d", h.Source, h.Row)
	switch {
	case h.Reason == nil:
		return v.report(CheckHeld, h.Key, "held_keys", h.Key, letter, "there is none")
	case *h.Reason != "internal":
		return v.report(CheckHeld, h.Key, "held_keys", h.Key, letter+" has the reason internal", "it has "+*h.Reason)
	case *h.State == "retried" || *h.State == "discarded":
		return v.report(CheckHeld, h.Key, "held_keys", h.Key, letter+" is still to be decided or done", "it is "+*h.State)
	}
	return nil
}
