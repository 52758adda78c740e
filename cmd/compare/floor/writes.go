package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"allocation/cmd/compare/contest"
)

// writes are what a transaction writes.
type writes struct {
	lines []line

	moved          []int32 // partitions, and from where to where
	froms, tos     []int64
	changed        []string // batches, and their new state
	allocs         []int64
	olds, versions []int64
}

// line is an order line with its event.
type line struct {
	item
	batch   string
	seq     int64
	payload []byte
}

// decide allocates in memory.
func (a *applier) decide(items []item) *writes {
	w := &writes{lines: make([]line, len(items))}
	touched, next := map[string]*batch{}, map[int32]int64{}
	for i, it := range items {
		b := a.cache[it.command.SKU]
		b.alloc += it.command.Qty
		b.version++
		touched[b.sku] = b
		a.seq++
		next[it.record.Partition] = it.record.Offset + 1
		payload := fmt.Appendf(nil, `{"orderid":%q,"sku":%q,"qty":%d,"batchref":%q}`, it.command.OrderID, it.command.SKU, it.command.Qty, b.ref)
		w.lines[i] = line{it, b.ref, a.seq, payload}
	}
	for p, to := range next {
		w.moved, w.froms, w.tos = append(w.moved, p), append(w.froms, a.from[p]), append(w.tos, to)
		a.from[p] = to
	}
	for _, b := range touched {
		w.changed, w.allocs = append(w.changed, b.ref), append(w.allocs, b.alloc)
		w.olds, w.versions = append(w.olds, b.saved), append(w.versions, b.version)
		b.saved = b.version
	}
	return w
}

// save writes with COPY, which is the cheapest for large batches, and takes a round trip for each
// statement.
func (a *applier) save(ctx context.Context, w *writes) error {
	return pgx.BeginFunc(ctx, a.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select f_fence($1, $2, $3)`, w.moved, w.froms, w.tos); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `select f_save($1, $2, $3, $4)`, w.changed, w.allocs, w.olds, w.versions); err != nil {
			return err
		}
		lines := func(i int) ([]any, error) {
			l := &w.lines[i]
			return []any{l.command.OrderID, l.command.SKU, l.command.SKU, l.command.Qty, l.batch, l.seq}, nil
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"f_lines"}, []string{"order_id", "line_id", "sku", "qty", "batch_ref", "seq"}, pgx.CopyFromSlice(len(w.lines), lines)); err != nil {
			return err
		}
		events := func(i int) ([]any, error) {
			l := &w.lines[i]
			return []any{l.record.Partition, l.record.Offset, int16(0), l.command.SKU, contest.AllocatedType, l.payload}, nil
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"f_outbox"}, []string{"partition", "off", "n", "key", "type", "payload"}, pgx.CopyFromSlice(len(w.lines), events))
		return err
	})
}
