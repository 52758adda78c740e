package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/offsets"
	"allocation/store"
	"allocation/store/products/verify"
)

// Summary is the last line of verify. In JSON it is public contract.
type Summary struct {
	verify.Summary
	NotChecked []Unchecked `json:"not_checked"`
}

// Unchecked are commands that were never applied, so that the database's rows do not tell of them;
// or what is not known about that.
type Unchecked struct {
	What      string `json:"what"` // quarantined, skipped, packed or unknown
	Topic     string `json:"topic,omitempty"`
	Partition *int32 `json:"partition,omitempty"`
	Says      string `json:"says"`
}

// notChecked lists what a look at the database's rows does not tell.
func notChecked(ctx context.Context, p *cli.Program, db *store.Store, kafka config.Kafka) ([]Unchecked, error) {
	list := []Unchecked{}
	quarantined, err := quarantined(ctx, p, db, kafka)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		list = append(list, Unchecked{What: "unknown", Says: fmt.Sprintf("whether a partition is in quarantine is not known: %v", err)})
	}
	skipped, err := skippedByDecision(ctx, db)
	if err != nil {
		return nil, err
	}
	packed, err := leftPacked(ctx, db)
	return append(list, slices.Concat(quarantined, skipped, packed)...), err
}

// leftPacked are batches of records that were too large or could not be read, and of which it is
// not decided yet what becomes of them.
func leftPacked(ctx context.Context, db *store.Store) (list []Unchecked, err error) {
	const most = 1000
	letters, err := db.Letters(ctx, store.LetterFilter{Reasons: []string{"too_large", "unreadable"}}, []string{store.LetterOpen, store.LetterRetrying, store.LetterDiscarding}, most)
	for _, l := range letters.Letters {
		if b := l.Batch; b != nil {
			from := l.ID.Offset
			if b.Next != nil {
				from = *b.Next
			}
			list = append(list, Unchecked{"packed", l.ID.Topic, &l.ID.Partition,
				fmt.Sprintf("what %s, partition %d, has at offsets %d to %d: it was not unpacked, see allocation dlq show %s", l.ID.Topic, l.ID.Partition, from, b.Last, l.ID)})
		}
	}
	return list, err
}

// quarantined are the positions that do not fit their logs, and those whose logs do not answer.
func quarantined(ctx context.Context, p *cli.Program, db *store.Store, kafka config.Kafka) (list []Unchecked, err error) {
	client, err := p.ConnectKafka(ctx, kafka)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	positions, err := offsets.List(ctx, db, client, kafka)
	if err != nil {
		return nil, err
	}
	for i := range positions {
		l := &positions[i]
		switch l.State {
		case "ok", "retired":
			continue
		case "quarantined":
			says := fmt.Sprintf("commands of %s, partition %d, from offset %d on: it is in quarantine, %s", l.Topic, l.Partition, l.Position, l.Reason)
			list = append(list, Unchecked{"quarantined", l.Topic, &l.Partition, says})
		default:
			list = append(list, Unchecked{"unknown", l.Topic, &l.Partition, fmt.Sprintf("%s, partition %d, is %s", l.Topic, l.Partition, l.StateText())})
		}
	}
	return list, nil
}

const codeNotAllowed = "42501"

func skippedByDecision(ctx context.Context, db *store.Store) (list []Unchecked, err error) {
	skipped, err := db.SkippedOffsets(ctx)
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == codeNotAllowed {
		return []Unchecked{{What: "unknown", Says: "whether commands were skipped by decision is not known: this user may not read offset_decisions"}}, nil
	}
	for _, s := range skipped {
		which := fmt.Sprintf("what %s, partition %d, had from offset %d on", s.Topic, s.Partition, s.From)
		if s.To != nil {
			which = fmt.Sprintf("%s of %s, partition %d, %d to %d", cli.CountOf(*s.To-s.From, "offset"), s.Topic, s.Partition, s.From, *s.To-1)
		}
		list = append(list, Unchecked{"skipped", s.Topic, &s.Partition, which + ", skipped by decision: see allocation offsets list --history"})
	}
	return list, err
}
