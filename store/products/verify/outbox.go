package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// outboxRow is what the numbering of rows is checked by.
type outboxRow struct {
	Source    int32
	Row       int64
	Day       time.Time
	Letter    bool // it stands for a dead letter
	HasLetter bool // and there is one
	Known     bool // the source has a position
}

// Source by source: a table whose key begins with it is read in its order, whatever number of days
// it has.
const (
	sourcesSQL = `
with recursive s as (
    (select source from outbox order by source limit 1)
    union all
    select (select source from outbox where source > s.source order by source limit 1) from s where s.source is not null)
select source from s where source is not null`

	outboxSQL = `
select o.source, o.row_no, o.day, o.type = '', d.source is not null, p.source is not null
from (select source, row_no, day, type from outbox where source = $1 and row_no > $2 order by row_no, day limit $3) o
left join lateral (select source from dead_letters where source = o.source and row_no = o.row_no and o.type = '' limit 1) d on true
left join lateral (select source from positions where source = o.source limit 1) p on true
order by o.row_no, o.day`
)

// sources are those that have rows in the outbox.
func (v *verifier) sources(ctx context.Context) (sources []int32, err error) {
	err = v.db.Snapshot(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sourcesSQL)
		if err == nil {
			sources, err = pgx.CollectRows(rows, pgx.RowTo[int32])
		}
		return err
	})
	return sources, err
}

func (v *verifier) checkOutbox(ctx context.Context) error {
	sources, err := v.sources(ctx)
	for _, source := range sources {
		if err == nil {
			err = v.checkRows(ctx, source)
		}
	}
	return err
}

// checkRows wants the rows of a source to be numbered without gaps.
func (v *verifier) checkRows(ctx context.Context, source int32) error {
	chunk := func(tx pgx.Tx, after outboxRow, limit int) ([]outboxRow, error) {
		from := after.Row
		if after.Source == 0 {
			from = -1
		}
		return collect[outboxRow](ctx, tx, outboxSQL, source, from, limit)
	}
	var last *outboxRow
	return walk(ctx, v, "outbox rows", chunk, func(_ pgx.Tx, rows []outboxRow) error {
		v.summary.OutboxRows += int64(len(rows))
		for i := range rows {
			if err := v.checkRow(last, &rows[i]); err != nil {
				return err
			}
			last = &rows[i]
		}
		return nil
	})
}

func (v *verifier) checkRow(last, row *outboxRow) error {
	key := fmt.Sprintf("source %d, row %d", row.Source, row.Row)
	if last == nil && !row.Known {
		if err := v.report(CheckRows, "", "outbox", key, "a position of that source", "none"); err != nil {
			return err
		}
	}
	if row.Letter && !row.HasLetter {
		if err := v.report(CheckLetter, "", "outbox", key, "a row in dead_letters", "none"); err != nil {
			return err
		}
	}
	wrong := last != nil && row.Row != last.Row+1 && !v.days.holes()
	if !wrong {
		return nil
	}
	return v.report(CheckRows, "", "outbox", key, fmt.Sprintf("row %d after row %d", last.Row+1, last.Row), fmt.Sprintf("row %d", row.Row))
}
