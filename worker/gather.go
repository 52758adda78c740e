package worker

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
	"allocation/worker/cloudevents"
)

// work is a transaction, and where it came from.
type work struct {
	transaction Transaction
	partitions  []*partition
	taken       []int    // records at the head of each partition's queue
	records     []record // the commands among them
	pace        *pace
	long        bool // the partitions have much waiting
	applied     Applied
	took        time.Duration // from Apply until it ended, however it did

	probe   bool    // its records may crash this process: the database is told of them before
	redrive bool    // it has no fetched records, but parked commands
	again   *reread // or some of a record batch that is read again; else nil
	fails   string  // why its one command is held; empty: it is not
}

// record is a fetched command that is not decoded yet.
type record struct {
	*kgo.Record
	move   int
	types  *cloudevents.Types
	parked *Parked // where it was parked; nil for one that was just fetched

	oversized *batchHeader // it stands for a record batch that was not unpacked; else nil
}

// decode reads the envelopes. A command of a newer type may wait so long for a worker that knows
// it.
func (w *work) decode(patience time.Duration) {
	causes := make([]outbox.Cause, len(w.records)) // apart, because the rows of a command keep no more of it than this
	w.transaction.Commands = slices.Grow(w.transaction.Commands, len(w.records))[:len(w.records)]
	for i, r := range w.records {
		c := &w.transaction.Commands[i]
		if r.oversized != nil {
			*c = r.oversized.command(r.Record, &causes[i])
			c.Move, c.Parked = r.move, r.parked
			continue
		}
		if w.fails == "" {
			*c = decode(r.Record, r.types, &causes[i])
		} else {
			decodeFailed(c, r, &causes[i])
		}
		c.Move, c.LeaderEpoch, c.Parked, c.Failure = r.move, r.LeaderEpoch, r.parked, w.fails
		c.Wait = c.mayWait(patience)
	}
	w.cutBehindNewer()
}

// decode reads the envelope of a record.
func decode(r *kgo.Record, types *cloudevents.Types, cause *outbox.Cause) Command {
	m := cloudevents.Read(r, types, cause)
	c := Command{Offset: r.Offset, Type: m.Type, Data: m.Data, Taken: m.Taken, Sequence: m.Sequence, SequenceText: m.SequenceText, Ignored: m.Ignored, Newer: m.Newer, Once: m.Once, Cause: cause, Key: r.Key, Value: r.Value, Headers: r.Headers}
	if m.Reason != "" {
		c.Refusal = &Refusal{Reason: m.Reason, Message: m.Problem}
	}
	return c
}

// decodeFailed reads the envelope of a record that fails, which may be what fails.
func decodeFailed(c *Command, r record, cause *outbox.Cause) {
	defer func() {
		if recover() != nil {
			*cause = outbox.Cause{Time: cloudevents.Time(r.Record)}
			*c = Command{Offset: r.Offset, Cause: cause, Key: r.Key, Value: r.Value, Headers: r.Headers}
		}
	}()
	*c = decode(r.Record, r.types, cause)
}

// gather takes the next transaction from the partitions. Without any it says how long to wait at
// most; 0: until woken.
func (a *applier) gather(now time.Time) (*work, time.Duration) {
	if a.w.barred.Load() != nil {
		return nil, 0
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	work, wait := a.pick(now)
	if work != nil {
		for i, p := range work.partitions {
			row, _ := a.w.relay.Published(p.claim.Source.ID)
			work.transaction.Moves[i].Published = max(row, p.published.saved)
		}
	}
	return work, wait
}

// pick is gather without what is around the partitions: it takes records that are ready, or parked
// commands, in turn.
func (a *applier) pick(now time.Time) (*work, time.Duration) {
	ready, wait := a.ready(now)
	due, redriveWait := a.dueRedrive(now)
	a.redriveTurn = !a.redriveTurn
	switch {
	case due != nil && (len(ready) == 0 || a.redriveTurn):
		return a.pickRedrive(due), 0
	case len(ready) == 0:
		a.movedAt, a.outage = now, nil
		a.forget()
		return nil, sooner(wait, redriveWait)
	case a.lingers(now, ready):
		return nil, a.lingersUntil.Sub(now)
	}
	chosen, long := a.choose(now, ready)
	if len(chosen) == 0 {
		return nil, sooner(a.rests(now), sooner(wait, redriveWait))
	}
	return a.pickRecords(now, chosen, long), 0
}

// pickRecords makes a transaction of records.
func (a *applier) pickRecords(now time.Time, ready []*partition, long bool) *work {
	g := gathering{work: a.newWork(), bytes: batchBytes}
	g.work.pace, g.work.long = &a.short, long
	if long {
		g.work.pace = &a.long
	}
	g.commands = g.work.pace.next()
	switch first := ready[0]; {
	case first.oversizedNext():
		g.takeOversized(first)
	case first.failing.alone:
		g.commands, g.work.fails = 1, first.failing.why
	case first.probe.size > 0:
		g.commands, g.work.probe = min(g.commands, first.probe.next(first.next)), true
	case first.blocked():
		g.commands = 1
	}
	if len(g.work.partitions) == 0 {
		g.fill(now, a.spreads(now), ready)
	}
	for _, p := range g.work.partitions {
		p.busy = true
	}
	return g.work
}

// An applier lingers after a transaction for as long as that took, at most maxLinger, unless
// lingerBelow commands wait. A transaction costs much the same for one command as for ten. Where it
// takes long, because the machine is busy, fewer of them are better for all (docs/performance.md).
const (
	maxLinger   = 3 * time.Millisecond
	lingerBelow = 256
)

// linger begins after a transaction.
func (a *applier) linger(start, end time.Time) {
	a.lingersUntil = end.Add(min(maxLinger, end.Sub(start)))
}

func (a *applier) lingers(now time.Time, ready []*partition) bool {
	return now.Before(a.lingersUntil) && queued(ready) < lingerBelow
}

func queued(partitions []*partition) (n int) {
	for _, p := range partitions {
		n += len(p.queue.records)
	}
	return n
}

// newWork begins a transaction in the memory of the last one.
func (a *applier) newWork() *work {
	a.forget()
	return &a.last
}

// forget lets go of what was gathered last, which holds all that its records were unpacked with.
func (a *applier) forget() {
	last := &a.last
	clear(last.records)
	clear(last.transaction.Commands)
	*last = work{records: last.records[:0], transaction: Transaction{Applier: a.number, Commands: last.transaction.Commands[:0]}}
}

// sooner is the shorter of two waits, where 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// ready are the partitions to take from, beginning with another one each time; one that must go
// alone is the only one, when it is its turn.
func (a *applier) ready(now time.Time) (ready []*partition, wait time.Duration) {
	for i := range a.partitions {
		p := a.partitions[(i+a.turn)%len(a.partitions)]
		if !p.ready(now) {
			if at := p.mayTryAt(); p.state == running && p.hasNext() && at.After(now) {
				wait = sooner(wait, at.Sub(now))
			}
			continue
		}
		if !p.goesAlone() {
			ready = append(ready, p)
		} else if len(ready) == 0 {
			return []*partition{p}, 0
		}
	}
	return ready, wait
}

// gathering fills a transaction up to its bounds.
type gathering struct {
	work     *work
	commands int // still allowed
	bytes    int // still allowed; one record may exceed it
}

// fill takes from one partition after the other, of each as much as there is and its part allows:
// the fewer partitions, the fewer keys does a transaction write beside its lines and events.
func (g *gathering) fill(now time.Time, catchUp time.Duration, partitions []*partition) {
	for _, p := range partitions {
		if g.commands > 0 && g.bytes > 0 {
			g.take(p, min(g.commands, p.part(now, catchUp)))
		}
	}
}

// take adds up to most commands of a partition. Control records move the position, and are no
// commands.
func (g *gathering) take(p *partition, most int) {
	taken, to, epoch := 0, p.next, int32(-1)
	for _, r := range p.queue.records {
		if taken > 0 && p.beyondLock(r.Offset) {
			break
		}
		if !r.Attrs.IsControl() {
			if most <= 0 || g.bytes <= 0 {
				break
			}
			g.work.records = append(g.work.records, record{Record: r, move: len(g.work.partitions), types: p.types})
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
	g.work.add(p, taken, p.moveTo(to, epoch))
}

// takeOversized makes a batch that is not unpacked one command, which is refused, or none where its
// producer aborted it.
func (g *gathering) takeOversized(p *partition) {
	h := p.oversized.header
	if !h.aborted {
		r := &kgo.Record{Offset: max(h.first, p.next), Timestamp: time.UnixMilli(h.time)}
		g.work.records = append(g.work.records, record{Record: r, types: p.types, oversized: h})
	}
	g.work.add(p, 0, p.moveTo(h.Last+1, h.epoch))
}

// add adds a partition with so many records at the head of its queue.
func (w *work) add(p *partition, taken int, move PositionMove) {
	w.partitions, w.taken = append(w.partitions, p), append(w.taken, taken)
	w.transaction.Moves = append(w.transaction.Moves, move)
}
