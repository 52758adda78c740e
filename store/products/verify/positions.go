package verify

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

type positionRow struct {
	Source         int32
	Topic          string
	Partition      int32
	Next, NextRow  int64
	Published      int64
	Oldest, Newest *int64 // outbox rows that are kept
}

const positionsSQL = `
select p.source, p.topic, p.partition, p.next_offset, p.next_row, p.published_row, o.oldest, n.newest
from positions p
left join lateral (select row_no oldest from outbox where source = p.source order by row_no limit 1) o on true
left join lateral (select row_no newest from outbox where source = p.source order by row_no desc limit 1) n on true
where p.source > $1 order by p.source limit $2`

func (v *verifier) checkPositions(ctx context.Context) error {
	chunk := func(tx pgx.Tx, after positionRow, limit int) ([]positionRow, error) {
		return collect[positionRow](ctx, tx, positionsSQL, after.Source, limit)
	}
	return walk(ctx, v, "positions", chunk, func(_ pgx.Tx, rows []positionRow) error {
		for i := range rows {
			if err := v.checkPosition(&rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *verifier) checkPosition(p *positionRow) error {
	key := fmt.Sprintf("source %d (%s, partition %d)", p.Source, p.Topic, p.Partition)
	if p.Published < 0 || p.Published > p.NextRow {
		return v.report(CheckPublished, "", "positions", key, fmt.Sprintf("published_row from 0 to next_row, %d", p.NextRow), fmt.Sprintf("published_row %d", p.Published))
	}
	if p.Newest == nil {
		return v.reportIf(p.Published < p.NextRow, CheckUnpublishedRow, "", "outbox", key,
			fmt.Sprintf("rows %d to %d, which are not published", p.Published, p.NextRow-1), "none of them")
	}
	if *p.Newest != p.NextRow-1 {
		return v.report(CheckRows, "", "outbox", key, fmt.Sprintf("the newest row is %d, because next_row is %d", p.NextRow-1, p.NextRow), fmt.Sprintf("row %d", *p.Newest))
	}
	return v.reportIf(*p.Oldest > p.Published, CheckUnpublishedRow, "", "outbox", key,
		fmt.Sprintf("rows from %d on, which are not published", p.Published), fmt.Sprintf("the oldest row is %d", *p.Oldest))
}
