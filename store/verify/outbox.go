package verify

import (
	"context"
	"fmt"
	"time"
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
func (v *Verifier) sources(ctx context.Context) ([]int32, error) {
	return column[int32](ctx, v, sourcesSQL)
}

// checkOutbox wants the rows of each source to be numbered without gaps.
func (v *Verifier) checkOutbox(ctx context.Context) error {
	sources, err := v.sources(ctx)
	for _, source := range sources {
		if err != nil {
			break
		}
		var last *outboxRow
		err = Walk(ctx, v, "outbox rows", outboxSQL, func(after *outboxRow) []any {
			return []any{source, rowAfter(after.Source, after.Row)}
		}, func(row *outboxRow) {
			v.checkRow(last, row)
			last = row
		})
	}
	return err
}

func (v *Verifier) checkRow(last, row *outboxRow) {
	v.summary.OutboxRows++
	key := fmt.Sprintf("source %d, row %d", row.Source, row.Row)
	v.ReportIf(last == nil && !row.Known, CheckRows, "", "outbox", key, "a position of that source", "none")
	v.ReportIf(row.Letter && !row.HasLetter, CheckLetter, "", "outbox", key, "a row in dead_letters", "none")
	if last != nil && row.Row != last.Row+1 && !v.days.holes() {
		v.Report(CheckRows, "", "outbox", key, fmt.Sprintf("row %d after row %d", last.Row+1, last.Row), fmt.Sprintf("row %d", row.Row))
	}
}
