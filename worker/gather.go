package worker

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

// work is a batch, and where it came from.
type work struct {
	batch   Batch
	lanes   []*lane
	taken   []int    // records at the head of each lane's queue
	records []record // the commands among them
	applied Applied

	trial bool    // its records may end this process, and are noted before
	kept  bool    // it has no records, but what the database kept
	again *reread // or some of a batch that is read again; else nil
	fails string  // why its one command is held; empty: it is not
}

// record is a fetched command that is not decoded yet.
type record struct {
	*kgo.Record
	lane int
	kind string
	kept *Kept // where the database kept it; nil for one that was just fetched

	outsize *batchHeader // it stands for a batch that was not unpacked; else nil
}

// decode reads the envelopes.
func (w *work) decode(typePrefix string) {
	causes := make([]outbox.Cause, len(w.records)) // apart, because the rows of a command keep no more of it than this
	w.batch.Commands = slices.Grow(w.batch.Commands, len(w.records))[:len(w.records)]
	for i, r := range w.records {
		c := &w.batch.Commands[i]
		if r.outsize != nil {
			*c = r.outsize.command(r.Record, &causes[i])
			c.Lane, c.Kept = r.lane, r.kept
			continue
		}
		if w.fails == "" {
			*c = decode(r.Record, typePrefix, r.kind, &causes[i])
		} else {
			decodeFailed(c, r, typePrefix, &causes[i])
		}
		c.Lane, c.Epoch, c.Kept, c.Failure = r.lane, r.LeaderEpoch, r.kept, w.fails
	}
}

// decodeFailed reads the envelope of a record that fails, which may be what fails.
func decodeFailed(c *Command, r record, prefix string, cause *outbox.Cause) {
	defer func() {
		if recover() != nil {
			*cause = outbox.Cause{Time: timestamp(r.Record)}
			*c = Command{Offset: r.Offset, Cause: cause, Key: r.Key, Value: r.Value, Headers: headers(r.Record)}
		}
	}()
	*c = decode(r.Record, prefix, r.kind, cause)
}

// gather takes the records of the next transaction from the lanes that are ready. Without any it
// says how long to wait at most; 0: until woken.
func (a *applier) gather(now time.Time) (*work, time.Duration) {
	if a.w.barred.Load() != nil {
		return nil, 0
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	ready, wait := a.ready(now)
	kept, keptWait := a.keptLane(now)
	a.keptTurn = !a.keptTurn
	switch {
	case kept != nil && (len(ready) == 0 || a.keptTurn):
		return a.gatherKept(kept), 0
	case len(ready) == 0:
		a.movedAt, a.outage = now, nil
		a.forget()
		return nil, sooner(wait, keptWait)
	case a.resting(now, ready):
		return nil, a.restsUntil.Sub(now)
	}
	g := gathering{work: a.newWork(), commands: a.limit, bytes: batchBytes}
	switch first := ready[0]; {
	case first.outsizeNext():
		g.takeOutsize(first)
	case first.alone:
		g.commands = 1
		g.work.fails = first.failure
		g.fill(ready)
	case first.trial > 0:
		g.commands = min(g.commands, first.trialSize())
		g.work.trial = true
		g.fill(ready)
	case first.blocked():
		g.commands = 1
		g.fill(ready)
	default:
		g.fill(ready)
	}
	a.turn++
	for i, l := range g.work.lanes {
		l.busy = true
		row, _ := a.w.relay.Published(l.claim.Source.ID)
		g.work.batch.Lanes[i].Published = max(row, l.saved)
	}
	return g.work, 0
}

// An applier rests after a transaction as long as that took, at most mostRest, unless enough
// commands wait: a transaction costs much the same for one command as for ten, and where it takes
// long, because the machine is busy, fewer of them are better for all (docs/performance.md).
const (
	mostRest = 3 * time.Millisecond
	enough   = 256
)

// rest begins after a transaction.
func (a *applier) rest(start, end time.Time) { a.restsUntil = end.Add(min(mostRest, end.Sub(start))) }

func (a *applier) resting(now time.Time, ready []*lane) bool {
	return now.Before(a.restsUntil) && queued(ready) < enough
}

func queued(lanes []*lane) (n int) {
	for _, l := range lanes {
		n += len(l.queue)
	}
	return n
}

// newWork begins a batch in the memory of the last one.
func (a *applier) newWork() *work {
	a.forget()
	return &a.last
}

// forget lets go of what was gathered last, which holds all that its records were unpacked with.
func (a *applier) forget() {
	last := &a.last
	clear(last.records)
	clear(last.batch.Commands)
	*last = work{records: last.records[:0], batch: Batch{Applier: a.number, Commands: last.batch.Commands[:0]}}
}

// sooner is the shorter of two waits, where 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// ready are the lanes to take from, beginning with another one each time; one that must go alone is
// the only one, when it is its turn.
func (a *applier) ready(now time.Time) (ready []*lane, wait time.Duration) {
	for i := range a.lanes {
		l := a.lanes[(i+a.turn)%len(a.lanes)]
		if !l.ready(now) {
			if at := l.mayTryAt(); l.state == running && len(l.queue) > 0 && at.After(now) {
				wait = sooner(wait, at.Sub(now))
			}
			continue
		}
		if !l.alone && l.trial == 0 && !l.outsizeNext() && !l.blocked() {
			ready = append(ready, l)
		} else if len(ready) == 0 {
			return []*lane{l}, 0
		}
	}
	return ready, wait
}

// gathering fills a batch up to its bounds.
type gathering struct {
	work     *work
	commands int // still allowed
	bytes    int // still allowed; one record may exceed it
}

// shortPart of a batch, divided by the lanes, is what a lane may have waiting to be taken as a
// whole.
const shortPart = 4

// fill takes all of the lanes that have little waiting, so that none of them waits for the others'
// turns. What is still allowed it takes from the others in turn, of each as much as there is: the
// fewer partitions, the fewer keys does a transaction write beside its lines and events.
func (g *gathering) fill(lanes []*lane) {
	short := g.commands / (shortPart * len(lanes))
	for _, l := range lanes {
		if len(l.queue) <= short {
			g.take(l, short)
		}
	}
	for _, l := range lanes {
		if len(l.queue) > short && g.commands > 0 && g.bytes > 0 {
			g.take(l, g.commands)
		}
	}
}

// take adds up to most commands of a lane. Control records move the position, and are no commands.
func (g *gathering) take(l *lane, most int) {
	taken, to, epoch := 0, l.next, int32(-1)
	for _, r := range l.queue {
		if taken > 0 && l.beyondLock(r.Offset) {
			break
		}
		if !r.Attrs.IsControl() {
			if most <= 0 || g.bytes <= 0 {
				break
			}
			g.work.records = append(g.work.records, record{Record: r, lane: len(g.work.lanes), kind: l.kind})
			g.bytes -= size(r)
			g.commands--
			most--
		}
		taken++
		to, epoch = r.Offset+1, r.LeaderEpoch
	}
	if taken == 0 {
		return
	}
	g.work.lanes = append(g.work.lanes, l)
	g.work.taken = append(g.work.taken, taken)
	g.work.batch.Lanes = append(g.work.batch.Lanes, Lane{Source: l.claim.Source, Token: l.claim.Token, From: l.next, To: to, NextRow: l.nextRow,
		Epoch: epoch, Replay: l.claim.Replay})
}
