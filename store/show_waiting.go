package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/outbox"
	"allocation/worker"
)

// WaitingCommand is a command that waits behind a held key.
type WaitingCommand struct {
	ID            RecordID  `json:"position"`
	Type          string    `json:"type,omitempty"`
	CommandID     string    `json:"id,omitempty"`
	CorrelationID string    `json:"correlation,omitempty"`
	Since         time.Time `json:"since"`
}

// WaitingBehind are the first commands that wait behind a held key, in the order in which they are
// going to be applied.
func (s *Store) WaitingBehind(ctx context.Context, key string, limit int) ([]WaitingCommand, error) {
	return list(ctx, s, "read what waits", func(row pgx.CollectableRow) (w WaitingCommand, err error) {
		var headers []byte
		err = row.Scan(&w.ID.Topic, &w.ID.Partition, &w.ID.Offset, &w.CommandID, &w.CorrelationID, &w.Since, &headers)
		if decoded, wrong := outbox.DecodeHeaders(headers); wrong == nil {
			w.Type = (&worker.ParkedRecord{Headers: decoded}).Command(s.service.TypePrefix).Type
		}
		return w, err
	}, `
select p.topic, p.partition, h.command_offset, coalesce(h.command_id, ''), coalesce(h.correlation_id, ''), h.held_at, h.headers
from held_commands h join positions p on p.source = h.command_source
where h.key = $1 order by h.seq limit $2`, key, limit)
}
