package outbox

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// stream is a topic as one client sees it. It keeps a record from being sent ahead of an earlier
// one that the client gave up on.
//
// When the client gives up on a partition, its promises say so a moment later. A record that is
// produced in that moment finds an empty buffer, and would be sent ahead of the records that
// failed. So each record is produced in the stream's current era, which ends with the first failed
// promise. The era is the record's context: the client asks it just before it sends the first
// record batch of a partition. A record batch after a failure is such a first one. See era.Done.
type stream struct {
	client  *kgo.Client
	state   *topicState
	ordered bool // false for dead letters, which have no order among them and no eras

	mu      sync.Mutex
	current *era
	left    sync.Cond // the last one left the current era
}

func newStream(client *kgo.Client, state *topicState, ordered bool) *stream {
	s := &stream{client: client, state: state, ordered: ordered}
	s.left.L = &s.mu
	return s
}

// era is the time between two failures of a stream. It is a context that is done when the era is
// over.
type era struct {
	client *kgo.Client
	inside int // goroutines between enter and leave; guarded by the stream's mu
	over   atomic.Bool
}

var closedChannel = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// enter gives the context in which to produce. After it the caller checks its source for failure,
// produces or not, and calls leave; in between it must not wait for a promise. A new era begins
// only when all have left the last one. So no record of an old era is buffered behind one of a new
// era, whose context would vouch for it.
func (s *stream) enter() context.Context {
	if !s.ordered {
		return context.Background()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.current == nil || s.current.over.Load() {
		if s.current == nil || s.current.inside == 0 {
			s.current = &era{client: s.client}
			break
		}
		s.left.Wait()
	}
	s.current.inside++
	return s.current
}

func (s *stream) leave() {
	if !s.ordered {
		return
	}
	s.mu.Lock()
	s.current.inside--
	if s.current.inside == 0 {
		s.left.Broadcast()
	}
	s.mu.Unlock()
}

// produce gives a record to the client. wave is set before its promise can return.
func (s *stream) produce(era context.Context, r *kgo.Record, wave *uint32, promise func(*kgo.Record, error)) {
	*wave = s.state.produced()
	s.client.Produce(era, r, promise)
}

// end is called by every promise that failed, after it told its source: a caller that enters the
// next era finds that its source has failed.
func (s *stream) end() {
	s.mu.Lock()
	if s.current != nil {
		s.current.over.Store(true)
	}
	s.mu.Unlock()
}

// Done is asked by the client, under its partition's lock, whether it may still send a first batch.
// Failures whose promises were not yet called would be missed, so it waits for them; promises take
// none of the client's locks, and none that is held while producing. Nil means that it may.
func (e *era) Done() <-chan struct{} {
	if !e.over.Load() {
		fence(e.client)
	}
	if e.over.Load() {
		return closedChannel
	}
	return nil
}

func (e *era) Err() error {
	if e.over.Load() {
		return context.Canceled
	}
	return nil
}

func (e *era) Deadline() (time.Time, bool) { return time.Time{}, false }
func (e *era) Value(any) any               { return nil }
