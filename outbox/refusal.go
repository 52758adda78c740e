package outbox

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// What a refusal means depends on the topic, and on what it is about:
//
//   - The topic of all events is complete, so whatever it refuses is an outage: the row is tried
//     again, and keeps back what follows it.
//   - The other topics are optional: what they have is elsewhere too, dead letters in their table
//     and events in the topic of all events. A record that one of them refuses alone, for what it
//     is, goes in another form, or not at all.
//   - An optional topic that refuses every record for another reason, such as a right that is
//     missing, is an outage at first. After pace.giveUp it is shut: rows count as published without
//     it, and one in pace.probe asks whether that has changed. While the topic of all events takes
//     nothing either, it is an outage for as long as that lasts.
//   - A topic that does not exist, or has no leader, refuses nothing: the client waits for it, and
//     so does everybody.

// isRefusal reports whether a broker said no, for good as far as the client is concerned.
func isRefusal(err error) bool {
	var k *kerr.Error
	return errors.As(err, &k)
}

// isAboutRecord reports whether a broker refused a record for its content. Then it refuses the same
// record again, and other records may pass.
func isAboutRecord(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) || errors.Is(err, kerr.InvalidRecord) || errors.Is(err, kerr.PolicyViolation)
}

// admission says what to do with a record of a topic.
type admission uint8

const (
	admitted admission = iota // like any
	shut                      // the topic takes none: the row counts as published without it
	probing                   // the topic took none: this one asks whether it does now
)

// shutTopic is what is known of an optional topic that takes no record.
type shutTopic struct {
	err     error
	since   time.Time
	probed  atomic.Int64 // when a record was tried last, in Unix nanoseconds
	skipped atomic.Int64 // records
}

// admits says what to do with a record now. Of all who ask about a topic that is shut, one in a
// while is told to probe.
func (t *topicState) admits(every time.Duration) admission {
	s := t.closed.Load()
	if s == nil {
		return admitted
	}
	now, last := time.Now().UnixNano(), s.probed.Load()
	if now-last >= int64(every) && s.probed.CompareAndSwap(last, now) {
		return probing
	}
	return shut
}

// shutBy is why a topic is shut.
func (t *topicState) shutBy() error {
	if s := t.closed.Load(); s != nil {
		return s.err
	}
	return errShut // it was opened meanwhile
}

var errShut = errors.New("the topic took no records")

// Error is what /readyz notes. It says when a record was tried last: without records, nobody knows
// whether the cause is gone.
func (s *shutTopic) Error() string {
	return fmt.Sprintf("%v; every record was refused for %s, the last one tried %s ago, and %d were left out", s.err,
		time.Since(s.since).Truncate(time.Second), time.Since(time.Unix(0, s.probed.Load())).Truncate(time.Second), s.skipped.Load())
}

// close notes that an optional topic takes nothing, and that rows go on without it.
func (h *health) close(t *topicState, err error) {
	s := &shutTopic{err: err, since: time.Now()}
	s.probed.Store(s.since.UnixNano())
	if t.closed.CompareAndSwap(nil, s) {
		h.log.Error("topic refuses every record; its records are left out until it takes one, and nothing else waits for them", "destination", t.topic, "error", err)
	}
}

// open notes that a topic took a record.
func (h *health) open(t *topicState) {
	if s := t.closed.Swap(nil); s != nil {
		h.log.Info("topic takes records again", "destination", t.topic, "left_out", s.skipped.Load())
	}
}

// skipLogEvery is how often a topic's records that were left out are logged, at most.
const skipLogEvery = 10 * time.Second

// skip takes down that a record of a row is left out for good. What it said is elsewhere: see
// above.
func (h *health) skip(t *topicState, d *delivery, err error) {
	h.metrics.skipped(t.topic, reason(err))
	if s := t.closed.Load(); s != nil {
		s.skipped.Add(1)
		return // the log has it
	}
	n, now, last := t.skips.Add(1), time.Now().UnixNano(), t.skipsLogged.Load()
	if now-last >= int64(skipLogEvery) && t.skipsLogged.CompareAndSwap(last, now) {
		h.log.With(d.about().LogAttrs()...).Error("topic refuses a record for what it is: it is left out, and nothing else waits for it", "destination", t.topic,
			"left_out_so_far", n, "error", err)
	}
}
