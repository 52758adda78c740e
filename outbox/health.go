package outbox

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// health is what keeps the relay from publishing, per topic, and from reading the table. It logs changes, not records.
type health struct {
	log     *slog.Logger
	metrics Metrics
	topics  map[string]*topicState
	table   trouble
}

// topicState is how publishing to a topic goes.
type topicState struct {
	topic    string
	out      atomic.Int64 // records whose promises have not returned
	acks     atomic.Int64
	refused  trouble     // a promise failed, and none was kept since
	absent   trouble     // what the watcher found
	seenAcks int64       // at the last look; of the watcher
	known    atomic.Bool // whether id is known
	id       [16]byte    // of the topic, as last seen; of the watcher
}

// trouble is an outage of one thing, while it lasts.
type trouble struct {
	there atomic.Bool // whether err is set, so that the good case takes no lock
	mu    sync.Mutex
	err   error
}

func newHealth(e *Envelope, log *slog.Logger, m Metrics) *health {
	h := &health{log: log, metrics: m, topics: map[string]*topicState{}}
	for _, topic := range e.topics() {
		h.topics[topic] = &topicState{topic: topic}
	}
	return h
}

// set notes an outage, and reports whether it is a new one or has another reason.
func (t *trouble) set(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed := t.err == nil || reason(t.err) != reason(err)
	t.err = err
	t.there.Store(true)
	return changed
}

// clear reports whether there was an outage.
func (t *trouble) clear() bool {
	if !t.there.Load() {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.err != nil
	t.err = nil
	t.there.Store(false)
	return was
}

func (t *trouble) get() error {
	if !t.there.Load() {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *topicState) produced() { t.out.Add(1) }
func (t *topicState) returned() { t.out.Add(-1) }

func (t *topicState) acknowledged(h *health) {
	t.out.Add(-1)
	t.acks.Add(1)
	if t.refused.there.Load() || t.absent.there.Load() {
		h.recovered(t, &t.refused)
		h.recovered(t, &t.absent)
	}
}

// failed notes a promise that failed. Records that fail because an era ended, or the client was closed, say nothing of the topic.
func (h *health) failed(t *topicState, err error) {
	t.out.Add(-1)
	if errors.Is(err, kgo.ErrClientClosed) || isEraOver(err) {
		return
	}
	h.trouble(t, &t.refused, err)
}

func (h *health) trouble(t *topicState, what *trouble, err error) {
	if what.set(fmt.Errorf("publish to %s: %w", t.topic, err)) {
		h.log.Error("topic takes no records; trying on", "topic", t.topic, "error", err)
	}
}

func (h *health) recovered(t *topicState, what *trouble) {
	if what.clear() {
		h.log.Info("topic takes records again", "topic", t.topic)
	}
}

// tableFailed notes that the table did not answer.
func (h *health) tableFailed(what string, err error) {
	h.metrics.retried("postgres", what)
	if h.table.set(fmt.Errorf("%s: %w", what, err)) {
		h.log.Error("outbox table does not answer; trying on", "query", what, "error", err)
	}
}

func (h *health) tableAnswered() {
	if h.table.clear() {
		h.log.Info("outbox table answers again")
	}
}

func (h *health) err() error {
	errs := []error{h.table.get()}
	for _, t := range h.topics {
		errs = append(errs, t.refused.get(), t.absent.get())
	}
	return errors.Join(errs...)
}

// reason is a word for an error, out of few: for metrics, and to tell whether an outage changed.
func reason(err error) string {
	var k *kerr.Error
	switch {
	case errors.As(err, &k):
		return k.Message
	case errors.Is(err, errGap):
		return "missing_rows"
	case isEraOver(err):
		return "earlier_failure"
	default:
		return "client"
	}
}
