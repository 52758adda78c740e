package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// HeldView is a product whose commands wait behind one that failed unexpectedly.
type HeldView struct {
	SKU     string    `json:"sku"`
	Letter  Place     `json:"letter"`       // that holds it
	State   string    `json:"letter_state"` // once that is retried or discarded, what waits is being applied
	Since   time.Time `json:"since"`
	Waiting int64     `json:"waiting"`
}

const showHeldSQL = `
select k.key, p.topic, p.partition, d.command_offset, d.state, k.held_at, (select count(*) from held_commands h where h.key = k.key)
from held_keys k
join dead_letters d on d.source = k.source and d.row_no = k.row_no
join positions p on p.source = coalesce(d.command_source, d.source)
where k.key = any($1) order by k.key`

// showHeld are those of some products that are held.
func (s *Store) showHeld(ctx context.Context, skus ...string) ([]HeldView, error) {
	rows, err := s.pool.Query(ctx, showHeldSQL, skus)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (h HeldView, err error) {
		return h, row.Scan(&h.SKU, &h.Letter.Topic, &h.Letter.Partition, &h.Letter.Offset, &h.State, &h.Since, &h.Waiting)
	})
}
