package products

import (
	"context"
	"fmt"
)

// batchKey is an allocated line's key.
func (l *ListedLine) batchKey() string { return writeKey(l.BatchRef, l.Placed) }

const (
	listAllocatedSQL = `
select l.* from (%s limit %d) k
cross join lateral (
    select ` + listLineColumns + ` from lines l where l.state = 'allocated' and l.batchref = k.ref and %s order by l.placed limit %s) l
where %s order by k.ref, l.placed limit %[4]s`

	// A batch is of one product, whose lines were placed in the order of their age. So a batch
	// whose first line is younger has no older one.
	firstIsOldSQL = `(select f.placed_at is null or f.placed_at < ? from lines f where f.state = 'allocated' and f.batchref = k.ref order by f.placed limit 1)`
)

// AllocatedLines lists lines that have a batch, by its reference and then in placed order, after
// one.
func (v View) AllocatedLines(ctx context.Context, f LineFilter, after string, limit int) (list List[ListedLine], err error) {
	var ref string
	var placed int64
	parts, err := readKey(after, &ref, &placed)
	if err != nil {
		return list, err
	}
	var c conditions
	switch parts {
	case 1: // all of its lines
		c.add("b.ref > ?", ref)
	case 2:
		c.add("b.ref >= ?", ref)
	}
	if err := v.narrowRefs(ctx, &c, f); err != nil {
		return list, err
	}
	refs := `select b.ref, b.sku from batches b where ` + c.String() + ` order by b.ref`
	refArgs := c.args

	lines := conditions{args: c.args}
	if parts == 2 {
		lines.add("(l.batchref, l.placed) > (?::text, ?::bigint)", ref, placed)
	}
	wanted := conditions{args: lines.args}
	f.narrow(&wanted, "k.sku")
	if !f.Before.IsZero() {
		wanted.add(firstIsOldSQL, f.Before)
		wanted.add("(l.placed_at is null or l.placed_at < ?)", f.Before)
	}
	sql := fmt.Sprintf(listAllocatedSQL, refs, maxLooked, lines.String(), wanted.arg(limit+1), wanted.String())
	found, err := rows[ListedLine](ctx, v, sql, wanted.args)
	if err != nil {
		return list, err
	}
	list = cut(found, limit, (*ListedLine).batchKey)
	if list.Next == "" {
		last, err := v.lookedUpTo(ctx, refs, refArgs)
		if err != nil {
			return list, err
		}
		if last != "" {
			list.Next = writeKey(last)
		}
	}
	return list, nil
}

// narrowRefs adds which batches are looked at. Those of some products are sorted by their
// references where they are few, and else found among all others.
func (v View) narrowRefs(ctx context.Context, c *conditions, f LineFilter) error {
	if f.Batch != "" {
		c.add("b.ref = ?", f.Batch)
	}
	if f.all() {
		return nil
	}
	var of conditions
	f.narrow(&of, "sku")
	isFew, err := v.areFew(ctx, `select from batches where `+of.String(), of.args)
	if isFew {
		f.narrow(c, "b.sku")
	}
	return err
}
