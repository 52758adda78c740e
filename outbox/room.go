package outbox

import (
	"context"
	"sync"
)

// Room counts what is not acknowledged of the sources that were opened with it. It bounds the
// relay's memory by making whoever hands over their rows wait, and nobody else.
type Room struct {
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

func (r *Room) full() bool { return r.used.rows >= r.maxRows || r.used.bytes >= r.maxBytes }

func (r *Room) take(t tally) {
	r.mu.Lock()
	r.used.add(t)
	r.mu.Unlock()
}

func (r *Room) give(t tally) {
	r.mu.Lock()
	r.used.sub(t)
	if r.freed != nil && !r.full() {
		close(r.freed)
		r.freed = nil
	}
	r.mu.Unlock()
}

// waitable is nil while there is room, else a channel that is closed when there is.
func (r *Room) waitable() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.full() {
		return nil
	}
	if r.freed == nil {
		r.freed = make(chan struct{})
	}
	return r.freed
}

// Wait waits until there are fewer rows and bytes in the room than it may hold. The error is the
// context's.
func (r *Room) Wait(ctx context.Context) error {
	for {
		freed := r.waitable()
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
