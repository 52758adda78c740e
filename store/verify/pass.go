package verify

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Pass is one time over the events. It adds up those of the keys and parts that lie in an interval,
// which it makes smaller when they get too large, and compares them with the tables. Before it
// looks at rows it folds what was committed up to their snapshot.
type Pass struct {
	interval
	v      *Verifier
	follow *follower
	fold   func(*Event)
	keys   map[string]*history
	parts  []parts
	memory int64
	events int64 // for the progress
}

// parts are the Parts of one table.
type parts interface {
	points([]point) []point
	shrink()
	compare(context.Context) error
	compareUnseen(context.Context) error
}

// cost of a key or a part, besides the bytes of its names: measured, and rounded up.
const cost = 320

// foldAll folds the events and compares what they add up to with the tables, in as many passes as
// the memory asks for.
func (v *Verifier) foldAll(ctx context.Context) error {
	var from point
	for {
		v.summary.Passes++
		p := &Pass{interval: interval{from: from, last: true}, v: v, keys: map[string]*history{}}
		p.follow = &follower{v: v, sources: map[int32]*reader{}, take: p.add, published: v.o.Topic != nil}
		p.fold = v.aggregate.Fold(p)
		if err := p.run(ctx); err != nil || p.last {
			return err
		}
		from = p.to
	}
}

func (p *Pass) run(ctx context.Context) error {
	err := p.v.db.Snapshot(ctx, func(tx pgx.Tx) error {
		_, err := p.follow.look(ctx, tx)
		return err
	})
	if err == nil && p.v.o.Topic != nil {
		err = p.v.o.Topic(ctx, p.add) // which has all rows that were published before
	}
	if err == nil {
		err = p.follow.catchUp(ctx)
	}
	if err == nil {
		err = p.compare(ctx)
	}
	if err != nil {
		return err
	}
	return p.reportGaps(ctx)
}

func (p *Pass) compare(ctx context.Context) error {
	steps := []func(context.Context) error{p.compareKeys}
	for _, of := range p.parts {
		steps = append(steps, of.compare)
	}
	steps = append(steps, p.compareUnseenKeys)
	for _, of := range p.parts {
		steps = append(steps, of.compareUnseen)
	}
	for _, do := range steps {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// add folds an event. Those of a key come in order; from Kafka some may come twice.
func (p *Pass) add(e Event) error {
	if p.events++; p.events%10000 == 0 {
		p.v.o.Progress(fmt.Sprintf("pass %d: events", p.v.summary.Passes), p.events)
	}
	if !p.v.Wants(e.Key) || !p.touches(keyPoint(e.Key)) {
		return nil
	}
	h := p.keys[e.Key]
	if h == nil {
		h = &history{partition: e.Partition, version: e.Sequence - 1, cut: e.Sequence != 1}
		p.keys[e.Key] = h
		p.took(len(e.Key))
	}
	if p.next(h, &e) && h.whole() {
		p.fold(&e)
	}
	return p.v.failed
}

// Contradicts reports an event that cannot be: what was expected before or instead of it, and what
// was found.
func (p *Pass) Contradicts(e *Event, expected, found string) {
	p.v.Report(CheckEvents, e.Key, "outbox", fmt.Sprintf("sequence %d", e.Sequence), expected, found)
}

// took notes that something was added, and lets go of the upper half where that is too much.
func (p *Pass) took(names int) {
	p.memory += cost + int64(names)
	for p.memory > p.v.o.Memory && p.v.failed == nil {
		before := p.memory
		p.halve()
		if p.memory == before || p.to.compare(p.from) <= 0 { // another pass would begin where this one did
			p.v.failed = fmt.Errorf("a fold of %d bytes is too small for the names of one key", p.v.o.Memory)
		}
	}
}

func (p *Pass) halve() {
	var points []point
	for key := range p.keys {
		points = append(points, keyPoint(key))
	}
	for _, of := range p.parts {
		points = of.points(points)
	}
	p.to, p.last, p.memory = median(points), false, 0
	for key := range p.keys {
		if !p.stays(p.touches(keyPoint(key)), len(key)) {
			delete(p.keys, key)
		}
	}
	for _, of := range p.parts {
		of.shrink()
	}
}

// stays counts what does.
func (p *Pass) stays(does bool, names int) bool {
	if does {
		p.memory += cost + int64(names)
	}
	return does
}

// snapshot calls read with a snapshot whose events are folded.
func (p *Pass) snapshot(ctx context.Context, read func(pgx.Tx) error) error {
	return p.v.db.Snapshot(ctx, func(tx pgx.Tx) error {
		if err := p.follow.until(ctx, tx); err != nil {
			return err
		}
		return read(tx)
	})
}

// scan walks a table.
func scan[R any](ctx context.Context, p *Pass, table, sql string, args func(after *R) []any, check func(*R)) error {
	return walk(ctx, p.v, p.snapshot, fmt.Sprintf("pass %d: %s compared", p.v.summary.Passes, table), sql, args, check)
}
