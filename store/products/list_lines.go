package products

import (
	"context"
	"slices"
	"time"
)

// LineFilter says which lines are listed.
type LineFilter struct {
	SKUs
	Batch  string    // allocated lines of this batch only; empty: of all
	Before time.Time // lines that were placed before; zero: all
}

// ListedLine is a line of a list.
type ListedLine struct {
	OrderID  string     `json:"orderid"`
	SKU      string     `json:"sku"`
	LineID   string     `json:"lineid,omitempty"`
	Qty      int64      `json:"qty"`
	State    string     `json:"state"`
	BatchRef string     `json:"batchref,omitempty"`
	Placed   int64      `json:"placed"`
	PlacedAt *time.Time `json:"placed_at,omitempty"` // null: that is not known, it is older than the column
}

// ageKey is a waiting line's key. The time of a line whose age is not known is empty.
func (l *ListedLine) ageKey() string {
	at := ""
	if l.PlacedAt != nil {
		at = l.PlacedAt.UTC().Format(time.RFC3339Nano)
	}
	return writeKey(at, l.SKU, l.Placed)
}

const (
	listLineColumns = `l.orderid, l.sku, l.lineid, l.qty, l.state::text, coalesce(l.batchref, ''), l.placed, l.placed_at`

	listWaitingSQL = `select ` + listLineColumns + ` from lines l where l.state = 'waiting' and `
)

// age is where a list of waiting lines goes on.
type age struct {
	began  bool
	at     time.Time // zero: among lines whose age is not known
	sku    string
	placed int64
}

func readAge(after string) (a age, err error) {
	var at string
	parts, err := readKey(after, &at, &a.sku, &a.placed)
	if err != nil || parts == 0 {
		return a, err
	}
	a.began = true
	if at != "" {
		a.at, err = time.Parse(time.RFC3339Nano, at)
	}
	if err != nil || parts != 3 {
		return a, ErrKey
	}
	return a, nil
}

// WaitingLines lists lines that wait, the oldest first, after one. Those whose age is not known are
// older than any.
func (v View) WaitingLines(ctx context.Context, f LineFilter, after string, limit int) (list List[ListedLine], err error) {
	from, err := readAge(after)
	if err != nil {
		return list, err
	}
	isFew := false
	if !f.all() {
		var c conditions
		f.narrow(&c, "sku")
		if isFew, err = v.areFew(ctx, `select from lines where state = 'waiting' and `+c.String(), c.args); err != nil {
			return list, err
		}
	}
	var found []ListedLine
	if isFew {
		found, err = v.waitingOfFew(ctx, f, from, limit+1)
	} else {
		found, err = v.waitingByAge(ctx, f, from, limit+1)
	}
	return cut(found, limit, (*ListedLine).ageKey), err
}

// waitingOfFew reads all lines of the products, and sorts them.
func (v View) waitingOfFew(ctx context.Context, f LineFilter, from age, limit int) ([]ListedLine, error) {
	var c conditions
	f.narrow(&c, "l.sku")
	if from.began && from.at.IsZero() {
		c.add("(l.placed_at is not null or (l.sku, l.placed) > (?::text, ?::bigint))", from.sku, from.placed)
	} else if from.began {
		c.add("(l.placed_at, l.sku, l.placed) > (?::timestamptz, ?::text, ?::bigint)", from.at, from.sku, from.placed)
	}
	if !f.Before.IsZero() {
		c.add("(l.placed_at is null or l.placed_at < ?)", f.Before)
	}
	return rows[ListedLine](ctx, v, listWaitingSQL+c.String()+` order by l.placed_at nulls first, l.sku, l.placed limit `+c.arg(limit), c.args)
}

// waitingByAge reads the index of waiting lines by age, which has those of the products among all
// others. Lines whose age is not known are at its end.
func (v View) waitingByAge(ctx context.Context, f LineFilter, from age, limit int) (found []ListedLine, err error) {
	const inOrder = ` order by l.placed_at, l.sku, l.placed limit `
	if from.at.IsZero() {
		var c conditions
		f.narrow(&c, "l.sku")
		c.add("l.placed_at is null and (l.sku, l.placed) > (?::text, ?::bigint)", from.sku, from.placed)
		if found, err = rows[ListedLine](ctx, v, listWaitingSQL+c.String()+inOrder+c.arg(limit), c.args); err != nil || len(found) == limit {
			return found, err
		}
		from = age{}
	}
	var c conditions
	f.narrow(&c, "l.sku")
	c.add("(l.placed_at, l.sku, l.placed) > (?::timestamptz, ?::text, ?::bigint)", from.at, from.sku, from.placed)
	if !f.Before.IsZero() {
		c.add("l.placed_at < ?", f.Before)
	}
	known, err := rows[ListedLine](ctx, v, listWaitingSQL+c.String()+inOrder+c.arg(limit-len(found)), c.args)
	return slices.Concat(found, known), err
}
