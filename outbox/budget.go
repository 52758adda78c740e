package outbox

import (
	"context"
	"sync"
)

// Budget counts what is not acknowledged of the sources that were opened with it. It bounds the
// relay's memory: an applier that hands over rows waits until there is room, and no other does.
type Budget struct {
	maxRows, maxBytes int64

	mu    sync.Mutex
	used  tally
	freed chan struct{} // closed when there is room again; nil while no one waits
}

// tally is an amount of rows.
type tally struct{ rows, bytes int64 }

func (t *tally) add(o tally) { t.rows += o.rows; t.bytes += o.bytes }
func (t *tally) sub(o tally) { t.rows -= o.rows; t.bytes -= o.bytes }

func costOf(rows []Row) tally {
	t := tally{rows: int64(len(rows))}
	for i := range rows {
		t.bytes += rows[i].size()
	}
	return t
}

func (b *Budget) full() bool { return b.used.rows >= b.maxRows || b.used.bytes >= b.maxBytes }

func (b *Budget) take(t tally) {
	b.mu.Lock()
	b.used.add(t)
	b.mu.Unlock()
}

func (b *Budget) give(t tally) {
	b.mu.Lock()
	b.used.sub(t)
	if b.freed != nil && !b.full() {
		close(b.freed)
		b.freed = nil
	}
	b.mu.Unlock()
}

// waitable is nil while there is room, else a channel that is closed when there is.
func (b *Budget) waitable() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.full() {
		return nil
	}
	if b.freed == nil {
		b.freed = make(chan struct{})
	}
	return b.freed
}

// Wait waits until there are fewer rows and bytes than the budget allows. The error is the
// context's.
func (b *Budget) Wait(ctx context.Context) error {
	for {
		freed := b.waitable()
		if freed == nil {
			return ctx.Err()
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
