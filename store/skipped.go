package store

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// SkippedOffsets are offsets of a partition whose records an operator decided not to apply.
type SkippedOffsets struct {
	Topic     string
	Partition int32
	From      int64
	To        *int64 // the first that was not skipped; nil: all that the topic had, which is gone

	source int32
}

const skippedSQL = `
select action, topic, partition, source, new_source, from_offset, to_offset from offset_decisions order by id`

// SkippedOffsets reads what operators decided to skip, and did not decide to apply later.
func (s *Store) SkippedOffsets(ctx context.Context) ([]SkippedOffsets, error) {
	decisions, err := list(ctx, s, "read decisions", pgx.RowToStructByPos[offsetDecided], skippedSQL)
	var skipped []SkippedOffsets
	for _, d := range decisions {
		skipped = d.after(skipped)
	}
	return skipped, err
}

// offsetDecided is one decision about a position.
type offsetDecided struct {
	Action    string
	Topic     string
	Partition int32
	Source    int32
	NewSource *int32 // nil: the partition is gone
	From      int64
	To        *int64
}

// after is what is skipped once the decision is carried out: going back applies what was skipped
// before.
func (d *offsetDecided) after(skipped []SkippedOffsets) []SkippedOffsets {
	skip := func(source int32, from int64, to *int64) {
		if to == nil || from < *to {
			skipped = append(skipped, SkippedOffsets{d.Topic, d.Partition, from, to, source})
		}
	}
	switch {
	case d.NewSource == nil:
		skip(d.Source, d.From, nil)
	case *d.NewSource != d.Source:
		skip(d.Source, d.From, nil)
		skip(*d.NewSource, 0, d.To)
	default:
		skipped = slices.DeleteFunc(skipped, func(s SkippedOffsets) bool { return s.source == d.Source && s.From >= *d.To })
		for i := range skipped {
			if s := &skipped[i]; s.source == d.Source && s.To != nil && *s.To > *d.To {
				s.To = d.To
			}
		}
		skip(d.Source, d.From, d.To)
	}
	return skipped
}
