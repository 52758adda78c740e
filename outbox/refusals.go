package outbox

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// refusalMemory is how long a refusal counts that does not come again. A refused row is tried again
// after less than half of it, unless something else keeps it back, which then has a word of its
// own.
const refusalMemory = 15 * time.Second

// refusals are the rows that their topics refused, and that are to be tried again.
type refusals struct {
	mu  sync.Mutex
	all map[refusedBy]refusal
}

// refusedBy is a topic, and the source whose row it refused.
type refusedBy struct {
	topic  *topicState
	source *source
}

type refusal struct {
	err  error
	row  int64 // the lowest of the source that was refused
	acks int64 // of the topic when it refused first
	at   time.Time
}

// note takes a refusal down, and reports whether the topic refused nothing yet, or for another
// reason.
func (r *refusals) note(by refusedBy, row int64, err error, now time.Time) (changed bool) {
	fresh := refusal{err: fmt.Errorf("publish to %s: %w", by.topic.topic, err), row: row, acks: by.topic.acks.Load(), at: now}
	r.mu.Lock()
	defer r.mu.Unlock()
	changed = true
	for other, old := range r.all {
		if other.topic == by.topic && other.stands(old, now) && reason(old.err) == reason(err) {
			changed = false
		}
	}
	if old, there := r.all[by]; there && by.stands(old, now) {
		fresh.row, fresh.acks = min(old.row, row), old.acks
	}
	r.all[by] = fresh
	return changed
}

// stands reports whether a refusal is the last word about its row. Only that the row is
// acknowledged takes it back.
func (by refusedBy) stands(r refusal, now time.Time) bool {
	return now.Sub(r.at) < refusalMemory && by.source.ctx.Err() == nil && by.source.published() <= r.row
}

// standing gives the refusals of a topic that stand.
func (r *refusals) standing(t *topicState, now time.Time) (standing []refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for by, refused := range r.all {
		if by.topic == t && by.stands(refused, now) {
			standing = append(standing, refused)
		}
	}
	return standing
}

// forget drops those that do not stand, and gives the topics of which no refusal is left, and a row
// that was refused is acknowledged.
func (r *refusals) forget(now time.Time) (mended []*topicState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left, acknowledged := map[*topicState]bool{}, map[*topicState]bool{}
	for by, refused := range r.all {
		if by.stands(refused, now) {
			left[by.topic] = true
			continue
		}
		delete(r.all, by)
		if by.source.published() > refused.row {
			acknowledged[by.topic] = true
		}
	}
	for t := range acknowledged {
		if !left[t] {
			mended = append(mended, t)
		}
	}
	return mended
}

func (r *refusals) any() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all) > 0
}

// joined is one error for refusals that say the same, and one for each other.
func joined(refusals []refusal) error {
	var errs []error
	said := map[string]bool{}
	for _, r := range refusals {
		if words := r.err.Error(); !said[words] {
			said[words] = true
			errs = append(errs, r.err)
		}
	}
	return errors.Join(errs...)
}
