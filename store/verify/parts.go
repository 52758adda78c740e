package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// State is what events tell of a part of a key, and what its row says.
type State interface {
	comparable
	fmt.Stringer // says it to people
}

// Table is where the rows R are that have the state S of parts, which K names.
type Table[K comparable, S State, R any] struct {
	Name  string
	Part  string // what a row is about, as people call it
	Row   func(K) string
	Read  func(*R) (key string, part K, state S)
	Rows  string               // reads all rows, as Walk wants it
	After func(after *R) []any // for Rows
	These string               // reads the rows of some parts
	Parts func([]K) []any      // for These
}

// Parts are what the events of a pass tell of the rows of a table.
type Parts[K comparable, S State, R any] struct {
	pass  *Pass
	table Table[K, S, R]
	told  map[K]*part[S]
}

type part[S State] struct {
	state S
	key   string
	size  int  // of its names
	seen  bool // its row was compared
}

// NewParts makes the parts of a table. Tables are compared in the order in which this is called.
func NewParts[K comparable, S State, R any](p *Pass, table Table[K, S, R]) *Parts[K, S, R] {
	of := &Parts[K, S, R]{pass: p, table: table, told: map[K]*part[S]{}}
	p.parts = append(p.parts, of)
	return of
}

// Holds reports whether the pass is about a part.
func (o *Parts[K, S, R]) Holds(key string, k K) bool { return o.pass.holds(partPoint(key, k)) }

// Get returns what is told of a part, to be changed there; nil where nothing is.
func (o *Parts[K, S, R]) Get(k K) *S {
	if told := o.told[k]; told != nil {
		return &told.state
	}
	return nil
}

// Put adds a part of a key, which the pass holds and has nothing of yet.
func (o *Parts[K, S, R]) Put(key string, k K, state S) {
	told := &part[S]{state: state, key: key, size: len(key) + len(o.table.Row(k))}
	o.told[k] = told
	o.pass.took(told.size)
}

func (o *Parts[K, S, R]) points(points []point) []point {
	for k, told := range o.told {
		points = append(points, partPoint(told.key, k))
	}
	return points
}

func (o *Parts[K, S, R]) shrink() {
	maps.DeleteFunc(o.told, func(k K, told *part[S]) bool { return !o.pass.stays(o.Holds(told.key, k), told.size) })
}

func (o *Parts[K, S, R]) compare(ctx context.Context) error {
	return scan(ctx, o.pass, o.table.Name, o.table.Rows, o.table.After, o.compareRow)
}

func (o *Parts[K, S, R]) compareRow(row *R) {
	key, k, has := o.table.Read(row)
	v := o.pass.v
	if !v.Wants(key) || !o.Holds(key, k) || !o.pass.keys[key].whole() {
		return
	}
	told := o.told[k]
	if told == nil {
		v.Report(CheckEvents, key, o.table.Name, o.table.Row(k), "no such "+o.table.Part, has.String())
		return
	}
	told.seen = true
	if told.state != has {
		v.Report(CheckEvents, key, o.table.Name, o.table.Row(k), told.state.String(), has.String())
	}
}

// compareUnseen looks up by its key what events tell of and no row was seen of: it may have come
// after the table was read there, or be missing.
func (o *Parts[K, S, R]) compareUnseen(ctx context.Context) error {
	var unseen []K
	for k, told := range o.told {
		if !told.seen {
			unseen = append(unseen, k)
		}
	}
	return lookup(ctx, o.pass, unseen, o.table.These, o.table.Parts, o.compareRow, func(k K) {
		if told := o.told[k]; told != nil && !told.seen && o.pass.keys[told.key].whole() {
			o.pass.v.Report(CheckEvents, told.key, o.table.Name, o.table.Row(k), told.state.String(), "no such "+o.table.Part)
		}
	})
}

// lookup reads the rows of keys, some at a time, and has missing look at each key afterwards.
func lookup[K, R any](ctx context.Context, p *Pass, keys []K, sql string, args func([]K) []any, check func(*R), missing func(K)) error {
	for some := range slices.Chunk(keys, firstChunk) {
		err := p.snapshot(ctx, func(tx pgx.Tx) error {
			rows, err := collect[R](ctx, tx, sql, args(some)...)
			if err != nil {
				return err
			}
			for i := range rows {
				check(&rows[i])
			}
			for _, k := range some {
				missing(k)
			}
			return p.v.failed
		})
		if err != nil {
			return err
		}
	}
	return nil
}
