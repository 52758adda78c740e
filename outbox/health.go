package outbox

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// health is what keeps the relay from publishing, per topic, and from reading the table. It logs
// changes, not records.
type health struct {
	log     *slog.Logger
	metrics Metrics
	topics  map[string]*topicState
	table   trouble

	patience time.Duration // without an acknowledgement
	refusals refusals
}

// trouble is an outage of one thing, while it lasts.
type trouble struct {
	there atomic.Bool // whether err is set, so that the good case takes no lock
	mu    sync.Mutex
	err   error
}

func newHealth(e *Envelope, log *slog.Logger, m Metrics, patience time.Duration) *health {
	h := &health{
		log: log, metrics: m, topics: map[string]*topicState{}, patience: patience, refusals: refusals{all: map[refusedBy]refusal{}},
	}
	for _, topic := range e.topics() {
		h.topics[topic] = &topicState{topic: topic, optional: e.elsewhere(topic)}
	}
	return h
}

// set notes an outage, and reports whether it is a new one or has another reason.
func (t *trouble) set(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed := t.err == nil || reason(t.err) != reason(err) || whyUnacknowledged(t.err) != whyUnacknowledged(err)
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

// failed notes a promise that failed. Records that fail because an era ended, or the client was
// closed, say nothing of the topic.
func (h *health) failed(t *topicState, d *delivery, err error) {
	if errors.Is(err, kgo.ErrClientClosed) || isEraOver(err) {
		return
	}
	if h.refusals.note(refusedBy{t, d.source}, d.number, err, time.Now()) {
		h.log.With(d.about().LogAttrs()...).Error("publish failed, retrying", "destination", t.topic, "error", err)
	}
}

// silent notes why acknowledgements of a topic do not come, for some of its records where others
// come.
func (h *health) silent(t *topicState, err error, others bool) {
	h.metrics.retried("kafka", reason(err))
	t.told = true
	t.others.Store(others)
	t.silenceAcks.Store(t.acks.Load())
	if t.silence.set(fmt.Errorf("publish to %s: %w", t.topic, err)) {
		h.log.Error("publish failed, retrying", "destination", t.topic, "error", err)
	}
}

// heard takes down that acknowledgements of a topic come, or that there is nothing to acknowledge.
func (h *health) heard(t *topicState) {
	t.silence.clear()
	if t.told {
		t.told = false
		h.log.Info("topic takes records again", "destination", t.topic)
	}
}

// forget drops refusals that do not stand.
func (h *health) forget(now time.Time) {
	for _, t := range h.refusals.forget(now) {
		h.log.Info("topic takes records again", "destination", t.topic)
	}
}

// tableFailed notes that the table did not answer.
func (h *health) tableFailed(what string, err error) {
	h.metrics.retried("postgres", what)
	if h.table.set(fmt.Errorf("%s: %w", what, err)) {
		h.log.Error("outbox table does not answer, retrying", "query", what, "error", err)
	}
}

func (h *health) tableAnswered() {
	if h.table.clear() {
		h.log.Info("outbox table answers again")
	}
}

// troubled reports whether anything is wrong, or was lately.
func (h *health) troubled() bool {
	for _, t := range h.topics {
		if t.silence.get() != nil {
			return true
		}
	}
	return h.table.get() != nil || h.refusals.any()
}

// err is what keeps everything back: the table does not answer, or the topic of all events takes
// nothing.
func (h *health) err(now time.Time) error {
	all, _ := h.split(now)
	return errors.Join(all...)
}

// notes are what keeps some back while others are published.
func (h *health) notes(now time.Time) (notes []string) {
	_, some := h.split(now)
	for _, err := range some {
		notes = append(notes, err.Error())
	}
	slices.Sort(notes)
	return notes
}

func (h *health) split(now time.Time) (all, some []error) {
	if err := h.table.get(); err != nil {
		all = append(all, err)
	}
	for _, t := range h.topics {
		if s := t.closed.Load(); s != nil {
			some = append(some, fmt.Errorf("publish to %s: %w", t.topic, s))
		}
		if others, err := t.whySilent(); err != nil {
			h.sort(t, err, others, &all, &some)
		}
		if refused := h.refusals.standing(t, now); len(refused) > 0 {
			others := t.acks.Load() > refused[0].acks && t.ackedAt.within(h.patience, now)
			h.sort(t, joined(refused), others, &all, &some)
		}
	}
	return all, some
}

// sort tells what keeps everything back from what does not. others says that other records of the
// topic are acknowledged.
func (h *health) sort(t *topicState, err error, others bool, all, some *[]error) {
	if !t.optional && !others {
		*all = append(*all, err)
	} else {
		*some = append(*some, err)
	}
}

// RetryReasons are the reasons that Metrics.Retried is told, by system. What Kafka itself refuses
// has Kafka's name for it, and is not among them.
func RetryReasons() map[string][]string {
	return map[string][]string{
		"kafka":    {"client", "earlier_failure", "missing_rows", "shut", "unacknowledged"},
		"postgres": {"drain", "nudge", "published"},
	}
}

// reason is a word for an error, out of few: for metrics, and to tell whether an outage changed.
func reason(err error) string {
	var (
		k      *kerr.Error
		silent *unacknowledgedError
	)
	switch {
	case errors.As(err, &k):
		return k.Message
	case errors.As(err, &silent):
		return "unacknowledged"
	case errors.Is(err, errShut):
		return "shut"
	case errors.Is(err, errGap):
		return "missing_rows"
	case isEraOver(err):
		return "earlier_failure"
	default:
		return "client"
	}
}
