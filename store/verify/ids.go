package verify

import (
	"context"
	"fmt"

	"allocation/worker"
)

// eventID is what makes a ce_id: the partition and offset of a command, and the number of its
// event.
type eventID struct {
	Source int32
	Offset int64
	Number int32
}

// idRow is a row of the outbox that is an event, with its id.
type idRow struct {
	Source int32
	Row    int64
	Key    string
	eventID
	Own bool // its command came by the row's own partition
}

const idsSQL = `
select source, row_no, key, coalesce(command_source, source), command_offset, event_no, command_source is null
from outbox where source = $1 and row_no > $2 and type <> '' and type not like 'dlq-%' order by row_no, day limit $3`

// Nearly all events come in the order of their commands: an id above all that came before in its
// partition is new. What an operator has applied again comes later, with an id that must be new as
// well: only such ids are remembered, and compared with all others.
//
// An operator who resets a partition has its commands numbered from the next million on, and their
// order begins anew.
type order map[int32]eventID // by million, the last

// inOrder reports whether an event comes in the order of its partition's commands.
func (o order) inOrder(r *idRow) bool {
	million := r.Number / worker.EventsEach
	last, known := o[million]
	if !r.Own || known && (r.Offset < last.Offset || r.Offset == last.Offset && r.Number <= last.Number) {
		return false
	}
	o[million] = r.eventID
	return true
}

// idSize is about what a remembered id takes in memory, in bytes.
const idSize = 100

// checkIDs wants no two events to have one id. It reads all events once, and a second time if any
// came out of order. It reads them again for each further part of the late ids that fits into
// memory.
func (v *Verifier) checkIDs(ctx context.Context) error {
	limit := max(1, v.o.Memory/idSize)
	late, more, err := v.lateIDs(ctx, func(eventID) bool { return true }, limit)
	if err != nil || len(late) == 0 {
		return err
	}
	if more == 0 {
		return v.compareIDs(ctx, late)
	}
	rounds := (limit+more)/limit + 1
	for round := range rounds {
		late, _, err := v.lateIDs(ctx, func(id eventID) bool { return id.Offset%rounds == round }, 2*limit)
		if err == nil {
			err = v.compareIDs(ctx, late)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lateIDs returns the wanted ids of events that came out of order, up to a number, and how many
// more there are.
func (v *Verifier) lateIDs(ctx context.Context, wanted func(eventID) bool, limit int64) (late map[eventID]idRow, more int64, err error) {
	late = map[eventID]idRow{}
	err = v.eachID(ctx, func(r *idRow, inOrder bool) {
		_, twice := late[r.eventID]
		switch {
		case inOrder || !wanted(r.eventID):
		case int64(len(late)) == limit:
			more++
		case !twice:
			late[r.eventID] = *r
		}
	})
	return late, more, err
}

// compareIDs compares late ones with all events.
func (v *Verifier) compareIDs(ctx context.Context, late map[eventID]idRow) error {
	return v.eachID(ctx, func(r *idRow, _ bool) {
		other, ok := late[r.eventID]
		if !ok || other.Source == r.Source && other.Row == r.Row || !v.Wants(other.Key) {
			return
		}
		v.Report(CheckEventID, other.Key, "outbox", fmt.Sprintf("source %d, row %d", other.Source, other.Row), "a ce_id of its own",
			fmt.Sprintf("that of source %d, row %d: event %d of the command of source %d, offset %d", r.Source, r.Row, r.Number, r.eventID.Source, r.Offset))
	})
}

// eachID reads all events, partition by partition.
func (v *Verifier) eachID(ctx context.Context, do func(r *idRow, inOrder bool)) error {
	sources, err := v.sources(ctx)
	for _, source := range sources {
		if err != nil {
			break
		}
		order := order{}
		err = Walk(ctx, v, "ids of events", idsSQL, func(after *idRow) []any {
			return []any{source, rowAfter(after.Source, after.Row)}
		}, func(r *idRow) { do(r, order.inOrder(r)) })
	}
	return err
}
