package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// follower reads the outbox, and gives each key's events in their order. Those of one source are in
// order; where a key's events come by several, each knows the row before it, and waits until that
// was given.
type follower struct {
	v         *Verifier
	sources   map[int32]*reader
	take      func(Event) error
	published bool // begin after what is published, instead of with the oldest row
}

// reader reads one source.
type reader struct {
	next    int64 // row to give, or to look for
	end     int64 // how far rows are committed
	ahead   []row // read, but not given
	fetched int64 // every row below it is read
}

type row struct {
	Row         int64
	Event       Event
	AfterSource int32
	AfterRow    int64
}

// maxAhead is how many rows are held in memory, over all sources, and fewestAhead how many of each
// at least.
const (
	maxAhead    = 20_000
	fewestAhead = 50
)

const eventsSQL = `
select row_no, key, sequence, type, value, coalesce(after_source, 0), coalesce(after_row, 0) from outbox
where source = $1 and row_no >= $2 and row_no < $3 and sequence is not null and ($4 = '' or key = $4) order by row_no`

// catchUp gives what is committed. In short: it reads until little is left, and a snapshot that
// comes next finds little.
func (f *follower) catchUp(ctx context.Context) error {
	const little = 500
	for {
		var left int64
		err := f.v.db.Snapshot(ctx, func(tx pgx.Tx) (err error) {
			left, err = f.look(ctx, tx)
			return err
		})
		if err != nil || left < little {
			return err
		}
		if err := f.give(ctx, f.v.db.Snapshot); err != nil {
			return err
		}
	}
}

// until gives what the snapshot of a transaction has.
func (f *follower) until(ctx context.Context, tx pgx.Tx) error {
	if _, err := f.look(ctx, tx); err != nil {
		return err
	}
	return f.give(ctx, func(_ context.Context, read func(pgx.Tx) error) error { return read(tx) })
}

// look asks how far each source is, and says how many rows are not given yet.
func (f *follower) look(ctx context.Context, tx pgx.Tx) (left int64, err error) {
	positions, err := collect[positionRow](ctx, tx, positionsSQL, 0, nil)
	for i := range positions {
		p := &positions[i]
		r := f.sources[p.Source]
		if r == nil {
			r = &reader{}
			if p.Oldest != nil {
				r.next = *p.Oldest
			}
			if f.published {
				r.next = p.Published
			}
			r.fetched = r.next
			f.sources[p.Source] = r
		}
		r.end = p.NextRow
		left += r.end - r.next
	}
	return left, err
}

// give gives rows up to the end of each source.
func (f *follower) give(ctx context.Context, in inSnapshot) error {
	ids := slices.Sorted(maps.Keys(f.sources))
	for {
		moved, behind := false, false
		for _, id := range ids {
			did, err := f.giveSource(ctx, id, in)
			if err != nil {
				return err
			}
			moved = moved || did
			behind = behind || f.sources[id].next < f.sources[id].end
		}
		if !behind {
			return nil
		}
		if !moved {
			f.unlock(ids)
		}
		if f.v.failed != nil {
			return f.v.failed
		}
	}
}

// giveSource gives rows of a source until one must wait for another source.
func (f *follower) giveSource(ctx context.Context, id int32, in inSnapshot) (moved bool, err error) {
	r := f.sources[id]
	for r.next < r.end {
		if len(r.ahead) == 0 {
			if err := f.fetch(ctx, id, in); err != nil {
				return moved, err
			}
			if len(r.ahead) == 0 {
				moved, r.next = true, r.fetched
				continue
			}
		}
		first := &r.ahead[0]
		r.next = first.Row // what is between is of no sequence
		if f.mustWait(first) {
			return moved, nil
		}
		if err := f.take(first.Event); err != nil {
			return moved, err
		}
		moved, r.next, r.ahead = true, first.Row+1, r.ahead[1:]
		if len(r.ahead) == 0 {
			r.next = r.fetched
		}
	}
	return moved, nil
}

func (f *follower) mustWait(r *row) bool {
	before := f.sources[r.AfterSource]
	return before != nil && before.next <= r.AfterRow && r.AfterRow < before.end
}

// fetch reads the next rows of a source that have a sequence.
func (f *follower) fetch(ctx context.Context, id int32, in inSnapshot) error {
	r := f.sources[id]
	to := min(r.end, r.fetched+min(maxRows, max(fewestAhead, maxAhead/int64(len(f.sources)))))
	return in(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, eventsSQL, id, r.fetched, to, f.v.o.Key) // its error is that of the rows, too
		var err error
		r.ahead, err = pgx.CollectRows(rows, scanRow)
		r.fetched = to
		if err != nil || len(r.ahead) > 0 || to == r.end {
			return err
		}
		// Days that were dropped in the middle may have left a wide gap.
		return tx.QueryRow(ctx, `select least($3, coalesce((select row_no from outbox where source = $1 and row_no >= $2 order by row_no limit 1), $3))`,
			id, to, r.end).Scan(&r.fetched)
	})
}

func scanRow(rows pgx.CollectableRow) (r row, err error) {
	r.Event.Partition = -1
	err = rows.Scan(&r.Row, &r.Event.Key, &r.Event.Sequence, &r.Event.Type, &r.Event.Data, &r.AfterSource, &r.AfterRow)
	return r, err
}

// unlock lets one row go where rows wait for each other in a circle, which no commit can make.
func (f *follower) unlock(ids []int32) {
	for _, id := range ids {
		r := f.sources[id]
		if r.next >= r.end {
			continue
		}
		first := &r.ahead[0]
		f.v.Report(CheckSequence, first.Event.Key, "outbox", fmt.Sprintf("source %d, row %d", id, first.Row),
			"a row that can be published", fmt.Sprintf("it is to follow row %d of source %d, which waits for it", first.AfterRow, first.AfterSource))
		first.AfterSource, first.AfterRow = 0, 0
		return
	}
}
