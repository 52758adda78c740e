package worker

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"allocation/worker/cloudevents"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Whatever happens to partitions in whatever order, each record of their logs is applied once and
// in order, a command that always fails is held and no other is, and what is told as published is.
// Kafka and Postgres are a log and a position here, so hundreds of histories take a moment.
func TestPartition_appliesEachRecordOnceWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			h := newHistory(t, seed)
			for range 400 {
				h.step(h.IntN(100))
				h.check()
			}
			h.calm = true
			for range 2000 {
				h.step(h.IntN(60))
				h.check()
			}
			h.ended()
		})
	}
}

// history is what happens to the partitions of an applier.
type history struct {
	*rand.Rand
	t     *testing.T
	a     *applier
	stats failureStats
	now   time.Time
	logs  []*simulated
	calm  bool // nothing goes wrong any more, but for commands that always fail
}

// simulated is a partition, its log, and what the database has of it.
type simulated struct {
	*partition
	log      []*kgo.Record
	poison   map[int64]bool // offsets of commands that always fail
	at       int            // what the client fetches next: an index into log
	database Claim
	applied  int       // records
	beat     time.Time // the last heartbeat that was answered
}

const historyEnd = 60 // offsets of each log

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 0)), t: t, now: time.Unix(1e9, 0)}
	h.a = newApplier(&Worker{cfg: Config{MaxBatch: 20}}, 0, nil)
	for number := range int32(1 + h.IntN(3)) {
		s := &simulated{poison: map[int64]bool{}}
		s.database.Source.ID, s.database.Source.Partition = number+1, number
		epoch := int32(0)
		for offset := range int64(historyEnd) {
			if h.IntN(10) == 0 {
				epoch++
			}
			if h.IntN(8) > 0 { // else it was compacted, or its transaction aborted
				s.log = append(s.log, &kgo.Record{Offset: offset, LeaderEpoch: epoch, Value: make([]byte, h.IntN(100))})
				s.poison[offset] = h.IntN(30) == 0
			}
		}
		h.logs = append(h.logs, s)
		h.assign(s)
	}
	return h
}

// step lets something happen: the lower the number, the more usual it is.
func (h *history) step(what int) {
	h.now = h.now.Add(time.Duration(h.IntN(400)) * time.Millisecond)
	s := h.logs[h.IntN(len(h.logs))]
	switch {
	case what < 20:
		h.fetch(s)
	case what < 40:
		h.apply()
	case what < 45:
		h.explain(s)
	case what < 50:
		s.beat = h.now
		h.reclaim(s)
	case what < 55:
		h.publish(s)
	case what < 60:
		h.now = h.now.Add(time.Minute)
		s.fetch.resume(h.now)
	case what < 65: // another worker has it for a while
		s.database.Token[0]++
	case what < 70:
		s.database.Token[0]++
		s.close()
		h.a.partitions = slices.DeleteFunc(h.a.partitions, func(p *partition) bool { return p == s.partition })
		h.assign(s)
	case what < 75:
		s.fetch.failed("broken", h.now)
		s.fetch.pause(time.Second, h.now)
	case what < 80:
		s.fetch.lost = true
		s.requestReclaim(time.Time{})
	case what < 85:
		s.at = h.IntN(s.at + 1) // the client rewinds
	case what < 90:
		s.silenced(errors.New("no leader"), h.now)
		s.requestReclaim(time.Time{})
	}
}

// assign gives a partition to the worker, which claims it.
func (h *history) assign(s *simulated) {
	s.partition = newPartition(s.claimed(), &cloudevents.Types{}, h.now)
	s.applier = h.a
	h.a.partitions = append(h.a.partitions, s.partition)
	s.knowLog(s.asked(h), h.now)
	s.at = s.index(s.next)
	s.open()
}

func (s *simulated) claimed() Claim {
	s.database.Token[0]++
	s.database.Attempts++
	return s.database
}

// asked is what a broker says of the log: it may be one that knows no newer leaders.
func (s *simulated) asked(h *history) Log {
	log := Log{Stable: historyEnd, End: historyEnd, Shared: -1, LeaderEpoch: noEpoch}
	if !h.calm && h.IntN(3) > 0 {
		log.LeaderEpoch = int32(h.IntN(8))
	}
	return log
}

func (h *history) reclaim(s *simulated) {
	if s.mayReclaim(s.beat.Add(1)) && !h.now.Before(s.reclaim.at) && !s.busy {
		s.reclaimed(s.claimed(), false, h.now)
		s.knowLog(s.asked(h), h.now)
		require.True(h.t, s.toSeek())
		s.at = s.index(s.next)
		s.open()
	}
	if s.state == draining && h.IntN(2) == 0 {
		s.database.Published = s.database.NextRow
		s.start()
	}
}

// fetch gives some of the log's records, of which the client may pass over some.
func (h *history) fetch(s *simulated) {
	if s.paused = s.pauses(s.queue.bytes, 1000); s.paused {
		return
	}
	if !h.calm && h.IntN(8) == 0 {
		s.at = min(s.at+h.IntN(3), len(s.log))
	}
	n := min(h.IntN(12), len(s.log)-s.at)
	records := s.log[s.at : s.at+n]
	s.at += n
	if s.takesRecords() && !s.push(records) {
		s.aheadOfLeader()
	}
}

// explain has the log say what a gap is: the records that did not come are not there, or on their
// way, or the client passed over them.
func (h *history) explain(s *simulated) {
	if s.gap == nil {
		if s.fetch.behindSince.IsZero() {
			s.whyNothingComes(h.now, time.Second)
		}
		s.lookForGap(h.now, false)
		return
	}
	through := s.gap.until
	for _, r := range s.log {
		if came := slices.Contains(s.gap.offsets(), r.Offset); came || r.Offset < s.gap.from || r.Offset >= through {
			continue
		}
		if len(s.gap.held) > 0 {
			s.requestReclaim(time.Time{})
			return
		}
		through = r.Offset
	}
	if !s.explained(through, nil) {
		s.aheadOfLeader()
	}
	s.at = s.index(s.queue.end)
}

func (h *history) publish(s *simulated) {
	s.database.Published += int64(h.IntN(int(s.database.NextRow-s.database.Published) + 1))
	if s.isClaimed() && s.claim.Token == s.database.Token {
		s.report(s.database.Published, h.now)
		s.published.committed = s.published.offset
		require.LessOrEqual(h.t, s.published.offset, s.database.NextOffset)
	}
}

// apply lets the applier do what it would do next.
func (h *history) apply() {
	work, wait := h.a.pick(h.now)
	if work == nil {
		h.now = h.now.Add(wait)
		return
	}
	require.LessOrEqual(h.t, len(work.records), work.pace.most)
	switch err := h.outcome(work); {
	case err == nil:
		h.commit(work)
	case errors.Is(err, ErrConflict):
		work.release()
		if work.pace.conflicted(len(work.records)); work.long {
			h.a.rest(h.now, time.Second)
		}
	case errors.Is(err, ErrOutage):
		work.release()
		work.pace.outage()
	case errors.Is(err, errFenced):
		work.release()
		for _, p := range work.partitions {
			p.requestReclaim(h.now)
		}
	case errors.Is(err, errLocked):
		work.release()
		work.partitions[0].wait(work.transaction.Moves[0].From, "a row", "somebody", h.now)
	default:
		work.release()
		if p := work.partitions[0]; work.pace.failed(len(work.records)) {
			others := slices.ContainsFunc(h.a.partitions, func(other *partition) bool { return other != p && other.mayShow() })
			p.failing.failed(err, &h.stats, others, h.now)
		}
	}
}

var (
	errFenced = errors.New("fenced")
	errLocked = errors.New("locked")
	errPoison = errors.New("fails")
)

// outcome is what the database says. A transaction commits only from where the database is, and
// under the last claim.
func (h *history) outcome(work *work) error {
	for i, p := range work.partitions {
		s, move := h.logs[p.name.Partition], work.transaction.Moves[i]
		if move.Token != s.database.Token {
			return errFenced
		}
		require.Equal(h.t, s.database.NextOffset, move.From)
		require.Equal(h.t, s.database.NextRow, move.NextRow)
	}
	if !h.calm {
		switch h.IntN(12) {
		case 0:
			return ErrConflict
		case 1:
			return ErrOutage
		case 2:
			return errLocked
		}
	}
	for _, r := range work.records {
		if s := h.logs[work.partitions[r.move].name.Partition]; s.poison[r.Offset] && work.fails == "" {
			return errPoison
		}
	}
	return nil
}

// commit moves the database, and then the partitions. The database may take only the first
// commands, and the worker may not hear of it.
func (h *history) commit(work *work) {
	work.applied = Applied{Outcomes: make([]Outcome, len(work.records)), Rows: nil}
	work.transaction.Commands = work.transaction.Commands[:0]
	for _, r := range work.records {
		work.transaction.Commands = append(work.transaction.Commands, Command{Move: r.move, Offset: r.Offset, LeaderEpoch: r.LeaderEpoch})
	}
	if n := len(work.records); n > 1 && h.IntN(5) == 0 {
		work.applied.Outcomes = work.applied.Outcomes[:1+h.IntN(n-1)]
	}
	h.stats.count(work.applied.Outcomes, work.fails != "")
	work.cut()
	heard := h.calm || h.IntN(20) > 0
	for i, p := range work.partitions {
		s, move := h.logs[p.name.Partition], work.transaction.Moves[i]
		rows := 0
		for _, r := range work.records {
			if r.move == i {
				s.apply(h.t, r, work.fails != "")
				rows += h.IntN(3)
			}
		}
		work.applied.Rows = append(work.applied.Rows, nil)
		s.database.NextOffset, s.database.Attempts = move.To, 0
		s.database.NextRow += int64(rows)
		p.busy = false
		if heard {
			p.applied(work.taken[i], move.To, rows, h.now)
			p.passLock()
		} else {
			p.requestReclaim(time.Time{})
		}
	}
	work.pace.committed(len(work.records))
}

// check looks at what must hold at any time.
func (h *history) check() {
	for _, s := range h.logs {
		bytes, from := 0, s.index(s.next)
		for i, r := range s.queue.records {
			bytes += size(r)
			if s.log[from+i] != r {
				h.t.Fatalf("%s: offset %d is queued where %d follows", s.name.labels(), r.Offset, s.log[from+i].Offset)
			}
		}
		switch end := from + len(s.queue.records); {
		case s.queue.bytes != bytes:
			h.t.Fatalf("%s: %d bytes are queued, and %d are counted", s.name.labels(), bytes, s.queue.bytes)
		case s.takesRecords() && end != s.index(s.queue.end):
			h.t.Fatalf("%s: the queue ends before record %d of the log, and believes to end before %d", s.name.labels(), end, s.index(s.queue.end))
		case s.published.offset > s.next:
			h.t.Fatalf("%s: %d is told as published, and %d is applied", s.name.labels(), s.published.offset, s.next)
		case s.applied != s.index(s.database.NextOffset):
			h.t.Fatalf("%s: %d records are applied, and the position is behind %d", s.name.labels(), s.applied, s.index(s.database.NextOffset))
		}
	}
}

// index is the place in the log of the first record at or behind an offset.
func (s *simulated) index(offset int64) int {
	i, _ := slices.BinarySearchFunc(s.log, offset, func(r *kgo.Record, offset int64) int { return int(r.Offset - offset) })
	return i
}

// apply applies a record: it must be the next one of the log.
func (s *simulated) apply(t *testing.T, r record, held bool) {
	require.Less(t, s.applied, len(s.log))
	require.Equal(t, s.log[s.applied].Offset, r.Offset, "each record once, in order")
	require.Equal(t, s.poison[r.Offset], held, "offset %d", r.Offset)
	s.applied++
}

// ended is what must hold when nothing went wrong for long enough.
func (h *history) ended() {
	for _, s := range h.logs {
		require.Len(h.t, s.log, s.applied, "all is applied")
		s.database.Published = s.database.NextRow
		s.report(s.database.Published, h.now)
		require.Equal(h.t, s.database.NextOffset, s.published.offset, "all of it is published")
	}
}
