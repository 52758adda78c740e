package verify

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

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
	SKU    string
	ID     eventID
	Own    bool // its command came by the row's own partition
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
	million := r.ID.Number / worker.EventsEach
	last, known := o[million]
	if !r.Own || known && (r.ID.Offset < last.Offset || r.ID.Offset == last.Offset && r.ID.Number <= last.Number) {
		return false
	}
	o[million] = r.ID
	return true
}

// idSize is about what a remembered id takes in memory, in bytes.
const idSize = 100

// checkIDs wants no two events to have one id. It reads all events once, and a second time if any
// came out of order. It reads them again for each further part of the late ids that fits into
// memory.
func (v *verifier) checkIDs(ctx context.Context) error {
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
func (v *verifier) lateIDs(ctx context.Context, wanted func(eventID) bool, limit int64) (late map[eventID]idRow, more int64, err error) {
	late = map[eventID]idRow{}
	err = v.eachID(ctx, func(r *idRow, inOrder bool) error {
		if inOrder || !wanted(r.ID) {
			return nil
		}
		if int64(len(late)) == limit {
			more++
			return nil
		}
		if _, twice := late[r.ID]; !twice {
			late[r.ID] = *r
		}
		return nil
	})
	return late, more, err
}

// compareIDs compares late ones with all events.
func (v *verifier) compareIDs(ctx context.Context, late map[eventID]idRow) error {
	return v.eachID(ctx, func(r *idRow, _ bool) error {
		if other, ok := late[r.ID]; ok && (other.Source != r.Source || other.Row != r.Row) {
			return v.reportTwice(*r, other)
		}
		return nil
	})
}

func (v *verifier) reportTwice(first, second idRow) error {
	if !v.wants(second.SKU) {
		return nil
	}
	return v.report(CheckEventID, second.SKU, "outbox", fmt.Sprintf("source %d, row %d", second.Source, second.Row), "a ce_id of its own",
		fmt.Sprintf("that of source %d, row %d: event %d of the command of source %d, offset %d", first.Source, first.Row, first.ID.Number, first.ID.Source, first.ID.Offset))
}

// eachID reads all events, partition by partition.
func (v *verifier) eachID(ctx context.Context, do func(r *idRow, inOrder bool) error) error {
	sources, err := v.sources(ctx)
	if err != nil {
		return err
	}
	for _, source := range sources {
		chunk := func(tx pgx.Tx, after idRow, limit int) ([]idRow, error) {
			from := after.Row
			if after.Source == 0 {
				from = -1
			}
			return readIDs(ctx, tx, source, from, limit)
		}
		order := order{}
		err := walk(ctx, v, "ids of events", chunk, func(_ pgx.Tx, rows []idRow) error {
			for i := range rows {
				if err := do(&rows[i], order.inOrder(&rows[i])); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func readIDs(ctx context.Context, tx pgx.Tx, source int32, after int64, limit int) ([]idRow, error) {
	rows, err := tx.Query(ctx, idsSQL, source, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r idRow, err error) {
		err = row.Scan(&r.Source, &r.Row, &r.SKU, &r.ID.Source, &r.ID.Offset, &r.ID.Number, &r.Own)
		return r, err
	})
}
