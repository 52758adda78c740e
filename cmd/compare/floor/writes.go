package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"allocation/cmd/compare/contest"
)

// writes are what a transaction writes, by column.
type writes struct {
	orders, lineIDs, skus, refs, types []string
	quantities, seqs, offsets          []int64
	partitions                         []int32
	payloads                           [][]byte

	moved          []int32 // partitions, and from where to where
	froms, tos     []int64
	changed        []string // batches, and their new state
	allocs         []int64
	olds, versions []int64
}

// decide allocates in memory.
func (a *applier) decide(items []item) *writes {
	w := newWrites(len(items))
	touched, next := map[string]*batch{}, map[int32]int64{}
	for i, it := range items {
		b := a.cache[it.command.SKU]
		b.alloc += it.command.Qty
		b.version++
		touched[b.sku] = b
		a.seq++
		w.orders[i], w.lineIDs[i], w.skus[i], w.refs[i] = it.command.OrderID, it.command.SKU, it.command.SKU, b.ref
		w.quantities[i], w.seqs[i] = it.command.Qty, a.seq
		w.offsets[i], w.partitions[i], w.types[i] = it.record.Offset, it.record.Partition, contest.AllocatedType
		next[it.record.Partition] = it.record.Offset + 1
		var payload bytes.Buffer
		fmt.Fprintf(&payload, `{"orderid":%q,"sku":%q,"qty":%d,"batchref":%q}`, it.command.OrderID, it.command.SKU, it.command.Qty, b.ref)
		w.payloads[i] = payload.Bytes()
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

func newWrites(n int) *writes {
	return &writes{
		orders: make([]string, n), lineIDs: make([]string, n), skus: make([]string, n), refs: make([]string, n), types: make([]string, n),
		quantities: make([]int64, n), seqs: make([]int64, n), offsets: make([]int64, n),
		partitions: make([]int32, n), payloads: make([][]byte, n),
	}
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
			return []any{w.orders[i], w.lineIDs[i], w.skus[i], w.quantities[i], w.refs[i], w.seqs[i]}, nil
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"f_lines"}, []string{"order_id", "line_id", "sku", "qty", "batch_ref", "seq"}, pgx.CopyFromSlice(len(w.orders), lines)); err != nil {
			return err
		}
		events := func(i int) ([]any, error) {
			return []any{w.partitions[i], w.offsets[i], int16(0), w.skus[i], w.types[i], w.payloads[i]}, nil
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"f_outbox"}, []string{"partition", "off", "n", "key", "type", "payload"}, pgx.CopyFromSlice(len(w.orders), events))
		return err
	})
}
