package demo

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"
)

// late are the dispatches that the ledger has not heard of.
type late struct {
	of      map[string]int64 // by batch
	unknown []string         // articles of which they cannot be counted
}

// maxLate is how far back in a partition's events they are looked for.
const maxLate = 50_000

const lateSQL = `
select l.key, p.version - l.fact, o.type, o.value
from (select key, coalesce((state->>'fact')::bigint, 0) as fact from warehouse.ledgers where article) l
cross join lateral (select * from allocation.products p where p.sku >= l.key and p.sku <= l.key order by p.sku desc limit 1) p
left join lateral (
    select o.type, o.value from allocation.outbox o
    where o.source = p.last_source and o.row_no between p.last_row - $1 and p.last_row and o.key = l.key and o.sequence > l.fact
    order by o.row_no desc limit p.version - l.fact) o on true
where p.version > l.fact`

func lateDispatches(ctx context.Context, tx pgx.Tx) (l late, err error) {
	l.of = map[string]int64{}
	missing := map[string]int64{}
	rows, err := tx.Query(ctx, lateSQL, maxLate)
	if err != nil {
		return l, err
	}
	defer rows.Close()
	for rows.Next() {
		var sku string
		var eventType *string // nil: none is kept
		var since int64
		var value []byte
		if err := rows.Scan(&sku, &since, &eventType, &value); err != nil {
			return l, err
		}
		if _, seen := missing[sku]; !seen {
			missing[sku] = since
		}
		if eventType == nil {
			continue
		}
		missing[sku]--
		if *eventType != "Dispatched" {
			continue
		}
		var d struct {
			BatchRef string
			Qty      int64
		}
		if err := json.Unmarshal(value, &d); err != nil {
			return l, err
		}
		l.of[d.BatchRef] += d.Qty
	}
	for sku, n := range missing {
		if n != 0 {
			l.unknown = append(l.unknown, sku)
		}
	}
	slices.Sort(l.unknown)
	return l, rows.Err()
}
