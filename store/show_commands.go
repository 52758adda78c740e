package store

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/worker"
)

// typePrefix stands before the names of commands.
const typePrefix = "allocation.v1."

// OrderCommandView is a command of an order that had no effect: it waits behind a held product, or
// is a dead letter.
type OrderCommandView struct {
	ID      Place     `json:"id"`
	Type    string    `json:"type,omitempty"`
	SKU     string    `json:"sku,omitempty"`
	LineID  string    `json:"lineid,omitempty"`
	Since   time.Time `json:"since"`
	Held    string    `json:"held,omitempty"`    // the product behind which it waits
	Reason  string    `json:"reason,omitempty"`  // of the dead letter
	Message string    `json:"message,omitempty"` // of the dead letter
	State   string    `json:"state,omitempty"`   // of the dead letter
	Retries int32     `json:"retries,omitempty"` // of the dead letter
}

// An order is named in a command's bytes, which have no index. So Postgres finds those that may
// name it, as text, or in a way that only a reader of JSON understands, and this process reads
// those. Values above a bound, which no order needs, are left out: they would have to be unpacked.
const (
	mayNameOrderSQL = `
    octet_length(value) <= 65536 and (position($1::bytea in value) > 0
        or position('\x5c'::bytea in value) > 0 or position('data_base64'::bytea in value) > 0)`

	orderWaitsSQL = `
select p.topic, p.partition, h.command_offset, h.held_at, h.key, '', '', '', 0, h.value, h.headers
from (select * from held_commands where` + mayNameOrderSQL + `) h join positions p on p.source = h.command_source
order by h.seq`

	orderLettersSQL = `
select p.topic, p.partition, d.command_offset, d.recorded_at, '', d.reason, d.message, d.state, d.retries, d.value, d.headers
from (select * from dead_letters where state <> 'retried' and` + mayNameOrderSQL + `) d
join positions p on p.source = coalesce(d.command_source, d.source)
order by d.recorded_at, d.row_no`
)

// orderCommands are the commands of an order that a query finds, at most so many, and how many
// there are.
func (s *Store) orderCommands(ctx context.Context, query, order string, limit int) (found []OrderCommandView, total int64, err error) {
	rows, err := s.pool.Query(ctx, query, []byte(order))
	if err != nil {
		return nil, 0, err
	}
	var c OrderCommandView
	var value, headers []byte
	fields := []any{&c.ID.Topic, &c.ID.Partition, &c.ID.Offset, &c.Since, &c.Held, &c.Reason, &c.Message, &c.State, &c.Retries, &value, &headers}
	_, err = pgx.ForEachRow(rows, fields, func() error {
		if !c.read(order, value, headers) {
			return nil
		}
		if total++; total <= int64(limit) {
			found = append(found, c)
		}
		return nil
	})
	return found, total, err
}

// read fills in what the command says, and reports whether it is about the order. A refused command
// may be wrong in any way.
func (c *OrderCommandView) read(order string, value, headers []byte) bool {
	decoded, err := decodeHeaders(headers)
	if err != nil {
		return false
	}
	command := (&worker.KeptRecord{Value: value, Headers: decoded}).Command(typePrefix)
	var data struct{ OrderID, SKU, LineID any }
	if json.NewDecoder(bytes.NewReader(command.Data)).Decode(&data) != nil || data.OrderID != order {
		return false
	}
	c.Type = command.Type
	c.SKU, _ = data.SKU.(string)
	c.LineID, _ = data.LineID.(string)
	return true
}

const batchWaitsSQL = `select key from held_keys where ref = $1 union all select key from held_commands where ref = $1 limit 1`

// batchToCome is a batch whose command waits behind a held product, and ErrUnknown where none does.
func (s *Store) batchToCome(ctx context.Context, ref string) (*BatchView, error) {
	b := BatchView{Ref: ref, ToCome: true}
	if err := s.pool.QueryRow(ctx, batchWaitsSQL, ref).Scan(&b.SKU); err != nil {
		return nil, showError("show batch", err)
	}
	var err error
	b.Held, err = s.showHeld(ctx, b.SKU)
	return &b, showError("show whether the batch's product is held", err)
}
