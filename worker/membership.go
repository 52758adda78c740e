package worker

import (
	"errors"
	"time"
)

// A worker that stood still for longer than the session timeout may not know yet that its partitions have moved, and a claim of its own would
// fence their rightful owner. So nobody claims whose group has not answered lately, and partitions in doubt are claimed only when the client has
// had the time to draw its consequences from the answer: it may have been that this worker is no member any more.
const settleTime = 50 * time.Millisecond

var errSilent = errors.New("the group has not answered lately: its partitions may belong to others")

// heard tells whether the group answered so lately that it cannot have given the partitions to others meanwhile.
func (w *Worker) heard() bool { return time.Since(w.kafka.group.get()) < w.cfg.SessionTimeout/2 }

// mayClaim tells whether a partition in doubt is certainly still assigned: of one that was fenced, only a heartbeat after that can tell.
// The caller holds mu.
func (w *Worker) mayClaim(l *lane) bool {
	fenced := !l.fencedAt.IsZero() && !w.kafka.beat.get().After(l.fencedAt)
	return l.state == doubtful && !fenced && w.heard() && time.Since(w.kafka.group.get()) >= settleTime
}

// stillMayClaim is mayClaim for who does not hold mu.
func (w *Worker) stillMayClaim(l *lane) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mayClaim(l)
}
