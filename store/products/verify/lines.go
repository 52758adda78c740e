package verify

import (
	"context"
	"fmt"
	"time"

	"allocation/store/verify"
)

// lineRow is a line with its batch, its product and its last event.
type lineRow struct {
	OrderID, SKU, LineID string
	Qty, Placed          int64
	State, BatchRef      string
	LastSource           int32
	LastRow              int64
	LastDay              time.Time
	BatchSKU             *string
	Version              *int64
	EventType            *string
	EventKey             *string
	EventSequence        *int64
	EventData            []byte
	DayKept              bool
}

const linesSQL = `
select l.orderid, l.sku, l.lineid, l.qty, l.placed, l.state::text, coalesce(l.batchref, ''), l.last_source, l.last_row, l.last_day,
    b.sku, p.version, o.type, o.key, o.sequence, o.value,
    o.row_no is not null or to_regclass('outbox_' || to_char(l.last_day, 'YYYYMMDD')) is not null
from (select * from lines where (orderid, sku, lineid) > ($1, $2, $3) order by orderid, sku, lineid limit $4) l
left join lateral (select sku from batches where ref = l.batchref limit 1) b on true
left join lateral (select version from products where sku = l.sku limit 1) p on true
left join lateral (select * from outbox where source = l.last_source and row_no = l.last_row and day = l.last_day limit 1) o on true
order by l.orderid, l.sku, l.lineid`

func (c *checks) checkLines(ctx context.Context) error {
	return verify.Walk(ctx, c.v, "lines", linesSQL, func(after *lineRow) []any {
		return []any{after.OrderID, after.SKU, after.LineID}
	}, c.checkLine)
}

func (c *checks) checkLine(l *lineRow) {
	if !c.v.Wants(l.SKU) {
		return
	}
	c.summary.Lines++
	key := lineName(l.OrderID, l.LineID)
	switch {
	case l.Version == nil:
		c.v.Report(CheckProduct, l.SKU, "lines", key, "a row in products", "none")
	case l.BatchRef != "" && l.BatchSKU == nil:
		c.v.Report(CheckLineBatch, l.SKU, "lines", key, "the batch "+l.BatchRef, "there is none")
	case l.BatchRef != "" && *l.BatchSKU != l.SKU:
		c.v.Report(CheckLineBatch, l.SKU, "lines", key, "the batch "+l.BatchRef+" is of "+l.SKU, "it is of "+*l.BatchSKU)
	case l.Placed > *l.Version:
		c.v.Report(CheckPlaced, l.SKU, "lines", key, fmt.Sprintf("placed at most at version %d", *l.Version), fmt.Sprintf("placed %d", l.Placed))
	default:
		c.checkLastOfLine(l, key)
	}
}

// checkLastOfLine wants the event that the line points to to tell its state.
func (c *checks) checkLastOfLine(l *lineRow, key string) {
	pointer := fmt.Sprintf("the event of source %d, row %d, which it points to", l.LastSource, l.LastRow)
	if l.EventType == nil {
		if !l.DayKept {
			c.summary.LinesCut++
		}
		c.v.ReportIf(l.DayKept, CheckLastEvent, l.SKU, "lines", key, pointer, "there is none")
		return
	}
	e, err := decode(*l.EventType, l.EventData)
	told, has := lineOf(*l.EventType, e), line{qty: l.Qty, state: l.State, batch: l.BatchRef}
	switch {
	case err != nil || l.EventSequence == nil || *l.EventKey != l.SKU || e.SKU != l.SKU || e.OrderID != l.OrderID || e.LineID != l.LineID:
		c.v.Report(CheckLastEvent, l.SKU, "lines", key, pointer+", is one of this line", "it is not")
	case told != has:
		c.v.Report(CheckLastEvent, l.SKU, "lines", key, told.String()+", as "+pointer+" says", has.String())
	case l.Placed > *l.EventSequence:
		c.v.Report(CheckPlaced, l.SKU, "lines", key, fmt.Sprintf("placed at most at %d, the sequence of %s", *l.EventSequence, pointer), fmt.Sprintf("placed %d", l.Placed))
	}
}
