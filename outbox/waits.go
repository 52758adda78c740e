package outbox

import "sync"

// waits is which source waits for which: the sources with deferred rows, by the predecessor's
// source.
type waits struct {
	mu sync.Mutex
	by map[int32]map[*source]int64 // the lowest row that each waits for
}

func (w *waits) add(s *source, after Predecessor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sources, ok := w.by[after.Source]
	if !ok {
		sources = map[*source]int64{}
		w.by[after.Source] = sources
	}
	if row, ok := sources[s]; !ok || after.Row < row {
		sources[s] = after.Row
	}
}

// take removes those who wait for a row below the published one, and gives them with the lowest row
// that others wait for.
func (w *waits) take(id int32, published int64) (ready []*source, lowest int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lowest = nothingWatched
	for s, row := range w.by[id] {
		if row < published {
			ready = append(ready, s)
			delete(w.by[id], s)
		} else {
			lowest = min(lowest, row)
		}
	}
	if len(w.by[id]) == 0 {
		delete(w.by, id)
	}
	return ready, lowest
}

func (w *waits) forget(s *source) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, sources := range w.by {
		delete(sources, s)
		if len(sources) == 0 {
			delete(w.by, id)
		}
	}
}

// awaited gives, by source, the lowest row that is waited for.
func (w *waits) awaited() map[int32]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	rows := make(map[int32]int64, len(w.by))
	for id, sources := range w.by {
		rows[id] = nothingWatched
		for _, row := range sources {
			rows[id] = min(rows[id], row)
		}
	}
	return rows
}

// await reports whether a row is acknowledged. If it is not, s is told when it is. The relay's own
// source tells it where that is open here and the row is known; otherwise the poller does, which
// asks the table.
func (r *Relay) await(s *source, after Predecessor) bool {
	owner := r.source(after.Source)
	if owner != nil && owner.published() > after.Row {
		return true
	}
	r.waits.add(s, after) // before looking again, so that no announcement is missed in between
	if owner = r.source(after.Source); owner != nil {
		published, known := owner.watch(after.Row)
		if published || known {
			return published
		}
	}
	r.poller.kick()
	return false
}

// announce tells those who wait for a source how far it is published.
func (r *Relay) announce(owner *source) {
	for {
		owner.mu.Lock()
		low := owner.acked.low
		owner.watched = nothingWatched
		owner.mu.Unlock()
		lowest := r.tell(owner.ID, low)
		if published, _ := owner.watch(lowest); !published {
			return
		}
	}
}

// tell passes on how far a source is published, and gives the lowest row that is still waited for.
func (r *Relay) tell(id int32, published int64) (lowest int64) {
	ready, lowest := r.waits.take(id, published)
	for _, s := range ready {
		s.pass(id, published)
	}
	return lowest
}
