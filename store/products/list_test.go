package products

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// fillList makes products whose names are hard to tell apart, with batches and lines in all states.
// Every fourth line is of before the column that has its age.
const fillList = `
insert into products (sku, version, waiting, last_source, last_row)
select sku, 60, 0, 1, 1 from unnest(array['A', 'A%', 'A%1', 'A_1', 'A1', 'AB', 'AÿB', 'A' || chr(1114111), 'A' || chr(1114111) || 'x', 'B', 'C''"', 'a1', E'o\u202e1']) sku;
insert into batches (ref, sku, qty, allocated, eta, first_qty)
select format('b%s-%s', n, p.sku), p.sku, case when n = 0 then 0 else 10 * n end, case when n in (2, 3) then 10 * n else 0 end, case when n > 2 then date '2030-01-01' + n / 2 end, 9
from products p, generate_series(0, 5) n where p.sku <> 'B';
insert into lines (orderid, sku, lineid, qty, placed, state, batchref, last_source, last_row, last_day, placed_at)
select format('o%s', n % 9), p.sku, format('l%s', n), 1 + n % 3, 1 + n, s.state::line_state, case when s.state in ('allocated', 'dispatched') then format('b%s-%s', 2 + n % 2, p.sku) end,
    1, 1, '2026-11-01', case when n > 5 then timestamptz '2026-11-01' + n * interval '1 hour' + interval '1 minute' * length(p.sku) end
from products p, generate_series(0, 23) n, lateral (select (array['waiting', 'allocated', 'dispatched', 'cancelled', 'allocated'])[1 + (n * 7 + length(p.sku)) % 5] as state) s
where p.sku not in ('B', 'a1');
update products p set waiting = (select count(*) from lines l where l.sku = p.sku and l.state = 'waiting')`

// pages reads a whole list a few rows at a time.
func pages[T any](t *testing.T, read func(ctx context.Context, after string, limit int) (List[T], error)) (all []T) {
	t.Helper()
	after := ""
	for {
		list, err := read(t.Context(), after, 3)
		require.NoError(t, err)
		all = append(all, list.Rows...)
		if list.Next == "" {
			return all
		}
		require.NotEqual(t, after, list.Next)
		after = list.Next
	}
}

// where leaves out what a filter does, in a way that is easy to check.
func where[T any](all []T, is func(*T) bool) (left []T) {
	for i := range all {
		if is(&all[i]) {
			left = append(left, all[i])
		}
	}
	return left
}

func every[T any](t *testing.T, b *bench, sql string) []T {
	t.Helper()
	rows, err := b.DB.Query(t.Context(), sql)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	require.NoError(t, err)
	return all
}

var listedSKUs = []SKUs{
	{}, {SKU: "A1"}, {SKU: "none"}, {Prefix: "A"}, {Prefix: "A%"}, {Prefix: "A_"}, {Prefix: "Aÿ"}, {Prefix: "A\U0010FFFF"}, {Prefix: "o\u202e"}, {Prefix: "C'"}, {Prefix: "none"},
}

func (s SKUs) has(sku string) bool {
	return (s.SKU == "" || s.SKU == sku) && strings.HasPrefix(sku, s.Prefix)
}

func TestEndOfPrefix(t *testing.T) {
	for prefix, end := range map[string]string{
		"A": "B", "A\x7f": "A\u0080", "A\u07ff": "A\u0800", "A\ud7ff": "A\ue000", "A\uffff": "A\U00010000", "A\U0010ffff": "B", "A\U0010ffff\U0010ffff": "B", "\U0010ffff": "", "": "",
	} {
		require.Equal(t, end, endOfPrefix(prefix), "%+q", prefix)
	}
}

func TestListProducts(t *testing.T) {
	b := setup(t, 1)
	b.Exec(fillList)
	v := View{b.Store}
	all := every[ListedProduct](t, b, `
select sku, version, (select count(*) from batches b where b.sku = p.sku and qty > 0), coalesce((select sum(qty - allocated) from batches b where b.sku = p.sku and eta is null), 0)::bigint,
    coalesce((select sum(qty - allocated) from batches b where b.sku = p.sku and eta is not null), 0)::bigint, waiting,
    coalesce((select sum(qty) from lines l where l.sku = p.sku and state = 'waiting'), 0)::bigint
from products p order by sku collate "C"`)
	for _, skus := range listedSKUs {
		for n := range 4 {
			f := ProductFilter{SKUs: skus, Free: n&1 > 0, Waiting: n&2 > 0}
			want := where(all, func(p *ListedProduct) bool {
				return skus.has(p.SKU) && (!f.Free || p.FreeNow+p.FreeLater > 0) && (!f.Waiting || p.Waiting > 0)
			})
			require.Equal(t, want, pages(t, func(ctx context.Context, after string, limit int) (List[ListedProduct], error) {
				return v.Products(ctx, f, after, limit)
			}), "%+v", f)
		}
	}
}

func TestListBatches(t *testing.T) {
	b := setup(t, 1)
	b.Exec(fillList)
	v := View{b.Store}
	all := every[ListedBatch](t, b, `select ref, sku, qty, allocated, qty - allocated, coalesce(eta::text, '') from batches where qty > 0 order by sku collate "C", eta nulls first, ref collate "C"`)
	for _, skus := range listedSKUs {
		for _, f := range []BatchFilter{{}, {Free: true}, {Arrived: true}, {Free: true, Arrived: true}, {DueBefore: "2030-01-03"}, {DueBefore: "2020-01-01"}} {
			f.SKUs = skus
			want := where(all, func(b *ListedBatch) bool {
				due := f.DueBefore == "" || b.ETA != "" && b.ETA < f.DueBefore
				return skus.has(b.SKU) && (!f.Free || b.Available > 0) && (!f.Arrived || b.ETA == "") && due
			})
			require.Equal(t, want, pages(t, func(ctx context.Context, after string, limit int) (List[ListedBatch], error) {
				return v.Batches(ctx, f, after, limit)
			}), "%+v", f)
		}
	}
}

func TestListOrders(t *testing.T) {
	b := setup(t, 1)
	b.Exec(fillList)
	v := View{b.Store}
	all := every[ListedOrder](t, b, `
select orderid, count(*) filter (where state = 'waiting'), count(*) filter (where state = 'allocated'), count(*) filter (where state = 'dispatched'),
    count(*) filter (where state = 'cancelled'), case when bool_and(placed_at is not null) then min(placed_at) end from lines group by orderid order by orderid collate "C"`)
	require.Nil(t, all[0].PlacedAt)
	require.NotNil(t, all[len(all)-1].PlacedAt)
	for _, f := range []OrderFilter{{}, {Waiting: true}, {Prefix: "o3"}, {Prefix: "o"}, {Prefix: "%"}, {Prefix: "o", Waiting: true}} {
		want := where(all, func(o *ListedOrder) bool {
			return strings.HasPrefix(o.OrderID, f.Prefix) && (!f.Waiting || o.Waiting > 0)
		})
		require.Equal(t, want, pages(t, func(ctx context.Context, after string, limit int) (List[ListedOrder], error) {
			return v.Orders(ctx, f, after, limit)
		}), "%+v", f)
	}
}

const everyLineSQL = `select orderid, sku, lineid, qty, state::text, coalesce(batchref, ''), placed, placed_at from lines where state = `

// older reports whether a line was placed before a time, as a filter means it.
func (l *ListedLine) older(than time.Time) bool {
	return than.IsZero() || l.PlacedAt == nil || l.PlacedAt.Before(than)
}

func TestListLines_waiting(t *testing.T) {
	b := setup(t, 1)
	b.Exec(fillList)
	v := View{b.Store}
	all := every[ListedLine](t, b, everyLineSQL+`'waiting' order by placed_at nulls first, sku collate "C", placed`)
	for _, skus := range listedSKUs {
		for _, before := range []time.Time{{}, time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)} {
			f := LineFilter{SKUs: skus, Before: before}
			want := where(all, func(l *ListedLine) bool { return skus.has(l.SKU) && l.older(before) })
			for _, read := range []func(View, context.Context, LineFilter, age, int) ([]ListedLine, error){View.waitingOfFew, View.waitingByAge} {
				require.Equal(t, want, pages(t, func(ctx context.Context, after string, limit int) (List[ListedLine], error) {
					from, err := readAge(after)
					require.NoError(t, err)
					found, err := read(v, ctx, f, from, limit+1)
					return cut(found, limit, (*ListedLine).ageKey), err
				}), "%+v", f)
			}
			require.Equal(t, want, pages(t, func(ctx context.Context, after string, limit int) (List[ListedLine], error) {
				return v.WaitingLines(ctx, f, after, limit)
			}), "%+v", f)
		}
	}
}

func TestListLines_allocated(t *testing.T) {
	b := setup(t, 1)
	b.Exec(fillList)
	v := View{b.Store}
	all := every[ListedLine](t, b, everyLineSQL+`'allocated' order by batchref collate "C", placed`)
	for _, skus := range listedSKUs {
		for _, ref := range []string{"", "b2-A1", "none"} {
			for _, before := range []time.Time{{}, time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)} {
				f := LineFilter{SKUs: skus, Batch: ref, Before: before}
				want := where(all, func(l *ListedLine) bool {
					return skus.has(l.SKU) && (ref == "" || l.BatchRef == ref) && l.older(before)
				})
				require.Equal(t, want, pages(t, func(ctx context.Context, after string, limit int) (List[ListedLine], error) {
					return v.AllocatedLines(ctx, f, after, limit)
				}), "%+v", f)
			}
		}
	}
}

// A page looks at so many rows only, and the pages together have all.
func TestList_endsAPageEarlyWhereAFilterLeavesOutMuch(t *testing.T) {
	b := setup(t, 1)
	b.Exec(`
insert into products (sku, version, waiting, last_source, last_row) select 'S' || lpad(n::text, 5, '0'), 9, (n % 6000 = 5)::int, 1, 1 from generate_series(0, 11999) n;
insert into batches (ref, sku, qty, allocated, eta, first_qty)
select 'b' || substr(sku, 2), sku, 10, case when sku in ('S00007', 'S11999') then 1 else 10 end, case when sku = 'S11999' then date '2030-01-01' end, 9 from products;
insert into lines (orderid, sku, lineid, qty, placed, state, batchref, last_source, last_row, last_day, placed_at)
select 'o' || substr(sku, 2), sku, '', 1, 1, 'allocated', 'b' || substr(sku, 2), 1, 1, '2026-11-01', case sku when 'S11998' then null else now() end from products;
insert into lines (orderid, sku, lineid, qty, placed, state, last_source, last_row, last_day)
select 'o' || n % 2 || lpad(n::text, 5, '0'), 'S00005', 'w', 1, 2 + n, 'waiting', 1, 1, '2026-11-01' from generate_series(0, 10999) n`)
	v, ctx := View{b.Store}, t.Context()
	early, err := v.Products(ctx, ProductFilter{Free: true}, "", 3)
	require.NoError(t, err)
	require.Len(t, early.Rows, 1)
	require.Equal(t, "S04999", early.Next)
	skus := func(rows []ListedProduct) (skus []string) {
		for _, p := range rows {
			skus = append(skus, p.SKU)
		}
		return skus
	}
	require.Equal(t, []string{"S00007", "S11999"}, skus(pages(t, func(ctx context.Context, after string, limit int) (List[ListedProduct], error) {
		return v.Products(ctx, ProductFilter{Free: true}, after, limit)
	})))
	due := pages(t, func(ctx context.Context, after string, limit int) (List[ListedBatch], error) {
		return v.Batches(ctx, BatchFilter{DueBefore: "2031-01-01"}, after, limit)
	})
	require.Len(t, due, 1)
	old := pages(t, func(ctx context.Context, after string, limit int) (List[ListedLine], error) {
		return v.AllocatedLines(ctx, LineFilter{SKUs: SKUs{Prefix: "S"}, Before: time.Now().Add(-time.Hour)}, after, limit)
	})
	require.Len(t, old, 1)
	require.Equal(t, "b11998", old[0].BatchRef)
	orders := pages(t, func(ctx context.Context, after string, limit int) (List[ListedOrder], error) {
		return v.Orders(ctx, OrderFilter{Waiting: true}, after, 1000)
	})
	require.Len(t, orders, 11000)
	require.True(t, slices.IsSortedFunc(orders, func(a, b ListedOrder) int { return strings.Compare(a.OrderID, b.OrderID) }))
	many := pages(t, func(ctx context.Context, after string, limit int) (List[ListedLine], error) {
		return v.WaitingLines(ctx, LineFilter{SKUs: SKUs{SKU: "S00005"}}, after, 1000)
	})
	require.Len(t, many, 11000)
}

func TestList_refusesAKeyOfAnotherList(t *testing.T) {
	b := setup(t, 1)
	v, ctx := View{b.Store}, t.Context()
	for _, key := range []string{"CHAIR", `[]`, `[1]`, `["a","b","c","d"]`, `["a","b","c"]`, `{"a":1}`} {
		_, err := v.WaitingLines(ctx, LineFilter{}, key, 3)
		require.ErrorIs(t, err, ErrKey, key)
		_, err = v.AllocatedLines(ctx, LineFilter{}, key, 3)
		require.ErrorIs(t, err, ErrKey, key)
	}
	for _, key := range []string{"CHAIR", `["a","b"]`, `["a","soon","c"]`, `["a",3,"c"]`} {
		_, err := v.Batches(ctx, BatchFilter{}, key, 3)
		require.ErrorIs(t, err, ErrKey, key)
	}
}
