package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A worker that stood still for longer than the session timeout may not know yet that its
// partitions have moved, and a claim of its own would fence their rightful owner. So nobody claims
// whose group has not answered lately, and partitions are claimed again only when the client has
// had the time to draw its consequences from the answer: it may have been that this worker is no
// member any more.
const settleTime = 50 * time.Millisecond

// rebalanceTime is how long Kafka waits for members that do not join again, and how long a join may
// go without an answer.
const rebalanceTime = time.Minute

var errSilent = errors.New("the group has not answered lately: its partitions may belong to others")

// heard reports whether the group answered so lately that it cannot have given the partitions to
// others meanwhile.
func (w *Worker) heard() bool { return time.Since(w.kafka.group.get()) < w.cfg.SessionTimeout/2 }

// mayClaim reports whether a partition that is to be claimed again is certainly still assigned: of
// one that was fenced, only a heartbeat after that can tell. The caller holds mu.
func (w *Worker) mayClaim(p *partition) bool {
	return p.mayReclaim(w.kafka.beat.get()) && w.heard() && time.Since(w.kafka.group.get()) >= settleTime
}

// membership is whether the group has this worker. The client keeps the generation of a member that
// was thrown out, and tries to join for ever: only how its sessions end tells. The group has a
// worker again whose heartbeats are answered and end no session.
type membership struct {
	logger  *slog.Logger
	metrics *Metrics
	access  func(error) // hears why the group does not let this worker in, and nil when it does; may be nil

	mu    sync.Mutex
	out   error     // why the group does not have it; nil: it does, or it has not joined yet
	since time.Time // it is out
	said  time.Time
	beats int // answered since it was told last that it is out
}

// beatsIn is how many heartbeats in a row are answered to a worker that the group has.
const beatsIn = 2

var _ kgo.HookGroupManageError = (*membership)(nil) // the client takes a hook of any type

// OnGroupManageError is kgo's hook for a session that ended or did not begin.
func (m *membership) OnGroupManageError(err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if m.out == nil {
		m.since = now
	}
	if m.out == nil || m.out.Error() != err.Error() || now.Sub(m.said) >= throttleEvery {
		m.said = now
		m.logger.Error("this worker is out of its group, and applies nothing, retrying", "error", err)
	}
	m.out, m.beats = err, 0
	m.metrics.Member.Set(0)
	m.metrics.Retries.WithLabelValues("kafka", "group").Inc()
	if m.access != nil {
		m.access(err)
	}
}

// beat hears that a heartbeat was answered.
func (m *membership) beat() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.beats++
	if m.beats != beatsIn {
		return
	}
	m.metrics.Member.Set(1)
	if m.out != nil {
		m.logger.Info("this worker is in its group again", "after", time.Since(m.since).Truncate(time.Millisecond).String())
	}
	m.out = nil
	if m.access != nil {
		m.access(nil)
	}
}

// trouble says why the group does not have this worker; empty where it does.
func (m *membership) trouble() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out == nil {
		return ""
	}
	return "out of it for " + since(time.Since(m.since)) + ": " + m.out.Error()
}
