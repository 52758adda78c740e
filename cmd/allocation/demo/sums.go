package demo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"allocation/store"
)

// Sums are what the front page shows of all three services, as of one snapshot of their database.
// JSON has them as "section".
type Sums struct {
	AddsUp bool `json:"adds_up"`
	// Received - Lost = Free + Allocated + Dispatched, of the batches that arrived.
	Received   int64 `json:"received"`
	Lost       int64 `json:"lost"`
	Free       int64 `json:"free"`
	Allocated  int64 `json:"allocated"`
	Dispatched int64 `json:"dispatched"`

	Batches int      `json:"batches"`         // those that arrived, and of which something is left
	Over    int64    `json:"batches_over"`    // those of which nothing is left
	Differ  []*Batch `json:"differ"`          // those that do not add up
	Behind  []string `json:"behind"`          // articles of which it cannot be told: the warehouse is too far behind
	Others  []string `json:"batches_of_none"` // batches at stock that are not the warehouse's

	Orders []Count `json:"orders"`
	VIPs   VIPs    `json:"vips"`

	all []*Batch
}

// Batch is a batch that arrived, as the warehouse's ledger and stock have it.
type Batch struct {
	Ref        string `json:"ref"`
	SKU        string `json:"sku"`
	Received   int64  `json:"received"` // says the ledger
	Lost       int64  `json:"lost"`     // says the ledger, of the revision that stock has
	Free       int64  `json:"free"`     // says stock
	Allocated  int64  `json:"allocated"`
	Dispatched int64  `json:"dispatched"` // see sumsOf
	Says       string `json:"says,omitempty"`
}

// Difference is zero where it adds up.
func (b *Batch) Difference() int64 { return b.Received - b.Lost - b.Free - b.Allocated - b.Dispatched }

// Count is how many orders are in a state.
type Count struct {
	State string `json:"state"`
	Count int64  `json:"count"`
	More  bool   `json:"more,omitempty"` // than maxCounted
}

// VIPs are the customers with three orders placed, and those who were told that they are VIPs now.
type VIPs struct {
	Due    int64    `json:"due"`
	Told   int64    `json:"told"`
	More   bool     `json:"more,omitempty"` // there are more than maxCounted
	Differ []string `json:"differ"`         // customers who are one and not the other
}

// maxCounted bounds what is counted for a page.
const maxCounted = 20_000

// readSums reads all at one snapshot.
func readSums(ctx context.Context, db *store.Store) (s *Sums, err error) {
	err = db.Snapshot(ctx, func(tx pgx.Tx) error {
		if s, err = sumsOf(ctx, tx); err != nil {
			return fmt.Errorf("add up batches: %w", err)
		}
		if s.Orders, err = countOrders(ctx, tx); err != nil {
			return fmt.Errorf("count orders: %w", err)
		}
		if s.VIPs, err = compareVIPs(ctx, tx); err != nil {
			return fmt.Errorf("compare VIPs: %w", err)
		}
		return nil
	})
	return s, err
}

// sumsOf adds up batches. What was dispatched of a batch is a running total: the ledger has what it
// heard of, up to an event of stock, and the events since that one are counted.
func sumsOf(ctx context.Context, tx pgx.Tx) (*Sums, error) {
	s := &Sums{Differ: []*Batch{}, Behind: []string{}, Others: []string{}}
	known, err := s.readBatches(ctx, tx)
	if err != nil {
		return nil, err
	}
	late, err := lateDispatches(ctx, tx)
	if err != nil {
		return nil, err
	}
	s.Behind = append(s.Behind, late.unknown...)
	last, err := s.readOver(ctx, tx)
	if err != nil {
		return nil, err
	}
	if err := s.readOthers(ctx, tx, known, last); err != nil {
		return nil, err
	}
	for _, b := range s.all {
		b.Dispatched += late.of[b.Ref]
		if slices.Contains(s.Behind, b.SKU) {
			continue
		}
		s.Batches++
		s.Received += b.Received
		s.Lost += b.Lost
		s.Free += b.Free
		s.Allocated += b.Allocated
		s.Dispatched += b.Dispatched
		if n := b.Difference(); n != 0 && b.Says == "" {
			b.Says = fmt.Sprintf("%+d are at stock that the ledger does not have", -n)
			if n > 0 {
				b.Says = fmt.Sprintf("%d of the ledger are not at stock", n)
			}
		}
		if b.Says != "" {
			s.Differ = append(s.Differ, b)
		}
	}
	s.AddsUp = len(s.Differ) == 0
	return s, nil
}

const batchesSQL = `
select l.sku, l.ref, l.arrived, l.received, warehouse.lost_at(l.told, b.revision), l.shipped, b.qty - b.allocated, b.allocated
from warehouse.ledger_batches(null) l
left join lateral (select * from allocation.batches b where b.ref >= l.ref and b.ref <= l.ref order by b.ref desc limit 1) b on true
order by l.sku, length(l.ref), l.ref`

// readBatches reads the batches of which something is left. It returns all their names, with those
// of batches on their way.
func (s *Sums) readBatches(ctx context.Context, tx pgx.Tx) (known map[string]bool, err error) {
	known = map[string]bool{}
	rows, err := tx.Query(ctx, batchesSQL)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b Batch
		var arrived bool
		var lost, free, allocated *int64
		if err := rows.Scan(&b.SKU, &b.Ref, &arrived, &b.Received, &lost, &b.Dispatched, &free, &allocated); err != nil {
			return nil, err
		}
		known[b.Ref] = true
		switch {
		case !arrived, free == nil && b.Dispatched == 0:
			continue // it is on its way, or stock will hear of it
		case free == nil:
			b.Says = "stock does not have it, and it was dispatched from"
		case lost == nil:
			b.Free, b.Allocated = *free, *allocated
			b.Says = "the ledger no longer knows what it told with the revision that stock has"
		default:
			b.Lost, b.Free, b.Allocated = *lost, *free, *allocated
		}
		s.all = append(s.all, &b)
	}
	return known, rows.Err()
}

const overSQL = `
select key, coalesce((state->>'last')::bigint, 0), coalesce((state->'over'->>'batches')::bigint, 0), coalesce((state->'over'->>'received')::bigint, 0),
    coalesce((state->'over'->>'lost')::bigint, 0), coalesce((state->'over'->>'shipped')::bigint, 0)
from warehouse.ledgers where article order by key`

// readOver adds the batches of which nothing is left, which the ledger has added up. It gives the
// number of each article's last shipment.
func (s *Sums) readOver(ctx context.Context, tx pgx.Tx) (last map[string]int64, err error) {
	last = map[string]int64{}
	rows, err := tx.Query(ctx, overSQL)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var sku string
		var number, batches, received, lost, shipped int64
		if err := rows.Scan(&sku, &number, &batches, &received, &lost, &shipped); err != nil {
			return nil, err
		}
		last[sku] = number
		s.Over += batches
		s.Received += received
		s.Lost += lost
		s.Dispatched += shipped
		if received-lost != shipped {
			s.Differ = append(s.Differ, &Batch{SKU: sku, Received: received, Lost: lost, Dispatched: shipped, Says: "its batches of which nothing is left do not add up"})
		}
	}
	return last, rows.Err()
}

const othersSQL = `select ref, sku, qty - allocated, allocated from allocation.batches where sku = any($1) and open order by ref`

// readOthers finds batches with something left at stock that the ledger does not have: it forgot
// them, or they are somebody else's.
func (s *Sums) readOthers(ctx context.Context, tx pgx.Tx, known map[string]bool, last map[string]int64) error {
	var skus []string
	for sku := range last {
		skus = append(skus, sku)
	}
	rows, err := tx.Query(ctx, othersSQL, skus)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var b Batch
		if err := rows.Scan(&b.Ref, &b.SKU, &b.Free, &b.Allocated); err != nil {
			return err
		}
		shipment, ok := strings.CutPrefix(b.Ref, b.SKU+".")
		number, err := strconv.ParseInt(shipment, 10, 64)
		switch {
		case known[b.Ref]:
		case ok && err == nil && number >= 1 && number <= last[b.SKU]:
			b.Says = "stock has it, and the ledger says that nothing is left"
			s.all = append(s.all, &b)
		default:
			s.Others = append(s.Others, b.Ref)
		}
	}
	return rows.Err()
}

const ordersSQL = `
select phase::text, (select count(*) from (select from orders.orders o where o.phase = p.phase limit $1 + 1) n)
from unnest(enum_range(null::orders.order_phase)) with ordinality p (phase, n) order by n`

func countOrders(ctx context.Context, tx pgx.Tx) ([]Count, error) {
	rows, err := tx.Query(ctx, ordersSQL, maxCounted)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Count, err error) {
		err = row.Scan(&c.State, &c.Count)
		if c.More = c.Count > maxCounted; c.More {
			c.Count = maxCounted
		}
		return c, err
	})
}

const vipsSQL = `
with due as (select id from orders.customers where placed >= 3 order by id limit $1 + 1),
    told as (select distinct key from (select key from orders.outbox where type = 'CustomerBecameVIP' order by key limit $1 + 1) o)
select (select count(*) from due), (select count(*) from told),
    array((select * from due except select * from told) union all (select * from told except select * from due) limit 20)`

func compareVIPs(ctx context.Context, tx pgx.Tx) (v VIPs, err error) {
	err = tx.QueryRow(ctx, vipsSQL, maxCounted).Scan(&v.Due, &v.Told, &v.Differ)
	if max(v.Due, v.Told) > maxCounted {
		v.Due, v.Told, v.More = min(v.Due, maxCounted), min(v.Told, maxCounted), true
	}
	return v, err
}
