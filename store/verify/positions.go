package verify

import (
	"context"
	"fmt"
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

func (v *Verifier) checkPositions(ctx context.Context) error {
	return Walk(ctx, v, "positions", positionsSQL, func(after *positionRow) []any { return []any{after.Source} }, v.checkPosition)
}

func (v *Verifier) checkPosition(p *positionRow) {
	key := fmt.Sprintf("source %d (%s, partition %d)", p.Source, p.Topic, p.Partition)
	switch {
	case p.Published < 0 || p.Published > p.NextRow:
		v.Report(CheckPublished, "", "positions", key, fmt.Sprintf("published_row from 0 to next_row, %d", p.NextRow), fmt.Sprintf("published_row %d", p.Published))
	case p.Newest == nil:
		v.ReportIf(p.Published < p.NextRow, CheckUnpublishedRow, "", "outbox", key,
			fmt.Sprintf("rows %d to %d, which are not published", p.Published, p.NextRow-1), "none of them")
	case *p.Newest != p.NextRow-1:
		v.Report(CheckRows, "", "outbox", key, fmt.Sprintf("the newest row is %d, because next_row is %d", p.NextRow-1, p.NextRow), fmt.Sprintf("row %d", *p.Newest))
	case *p.Oldest > p.Published:
		v.Report(CheckUnpublishedRow, "", "outbox", key,
			fmt.Sprintf("rows from %d on, which are not published", p.Published), fmt.Sprintf("the oldest row is %d", *p.Oldest))
	}
}
