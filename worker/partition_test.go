package worker

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
	"allocation/worker/cloudevents"
)

var then = time.Unix(1e9, 0)

// partitionOf is a running partition whose records from offset 0 on wait.
func partitionOf(records int) *partition {
	p := newPartition(Claim{}, &cloudevents.Types{}, then)
	p.open()
	p.queue.epoch = noEpoch
	for offset := range records {
		p.push([]*kgo.Record{{Offset: int64(offset)}})
	}
	return p
}

func TestPartition_opensAsItsClaimAndItsLogAllow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claim   Claim
		log     Log
		silent  bool
		opened  partitionState
		started partitionState
	}{
		"all is published":           {opened: running, started: running},
		"rows of before":             {claim: Claim{NextRow: 3, Published: 2}, opened: draining, started: running},
		"a log that starts later":    {log: Log{Start: 5, End: 9}, opened: quarantined, started: quarantined},
		"rows, and such a log":       {claim: Claim{NextRow: 3}, log: Log{Start: 5, End: 9}, opened: draining, started: quarantined},
		"no leader":                  {silent: true, opened: waiting, started: waiting},
		"no leader, and rows":        {claim: Claim{NextRow: 3}, silent: true, opened: draining, started: waiting},
		"a position beyond the end":  {claim: Claim{NextOffset: 7}, log: Log{End: 6}, opened: quarantined, started: quarantined},
		"another topic of that name": {claim: Claim{Source: outbox.Source{TopicID: [16]byte{1}}}, opened: quarantined, started: quarantined},
	} {
		p := newPartition(c.claim, &cloudevents.Types{}, then)
		if c.log.Shared = -1; c.silent {
			p.silenced(errors.New("no leader"), then)
		} else {
			p.knowLog(c.log, then)
		}
		require.Equal(t, c.opened == draining, p.open(), name)
		require.Equal(t, c.opened, p.state, name)
		require.Equal(t, c.opened == running || c.opened == draining && !c.silent, p.takesRecords(), name)
		require.Equal(t, c.opened != quarantined, p.publishes(), name)
		if p.state == draining {
			p.start()
		}
		require.Equal(t, c.started, p.state, name)
		require.Equal(t, c.started != running, p.pauses(0, 0), name)
		require.Equal(t, c.silent, p.awaits(), name)
	}
}

// A claim in doubt ends what is under way for the partition, and what it had is forgotten when it
// is claimed again: only how often that was in vain is remembered.
func TestPartition_beginsAnewWhenItIsClaimedAgain(t *testing.T) {
	t.Parallel()
	p, ended := partitionOf(5), 0
	end := func() { ended++ }
	p.stopDrain, p.gap, p.oversized, p.redrive.again = end, &gap{cancel: end}, &oversized{cancel: end}, &reread{cancel: end}
	p.published.committed, p.redrive.backlog = 3, true
	p.wait(0, "a row", "somebody", then)

	require.True(t, p.requestReclaim(then))
	require.False(t, p.requestReclaim(time.Time{}), "it is to be claimed already")
	require.Equal(t, 4, ended)
	require.False(t, p.mayReclaim(then), "it was fenced, and no heartbeat was answered since")
	require.True(t, p.mayReclaim(then.Add(1)))
	require.False(t, p.ready(then))
	p.reclaimFailed(errors.New("gone"), then)
	p.reclaimFailed(errors.New("gone"), then)
	wait := p.reclaim.at.Sub(then)
	require.InDelta(t, 75*time.Millisecond, wait, float64(25*time.Millisecond))

	p.reclaimed(Claim{NextOffset: 2, NextRow: 1, Published: 1, LeaderEpoch: 4}, false, then)
	require.Equal(t, 3, p.reclaim.tries)
	require.True(t, p.toSeek())
	require.Equal(t, int32(4), p.seekEpoch())
	require.Empty(t, p.queue.records)
	require.Nil(t, p.lock)
	require.Equal(t, int64(-1), p.published.committed, "the group is told again")
	require.False(t, p.redrive.backlog)
	p.knowLog(Log{End: 9, Shared: -1, LeaderEpoch: 4}, then)
	p.open()
	require.False(t, p.push([]*kgo.Record{{Offset: 2, LeaderEpoch: 4}, {Offset: 3, LeaderEpoch: 5}}), "its log was not compared under that leader")
	require.Len(t, p.queue.records, 1)
	require.True(t, p.aheadOfLeader())

	require.True(t, p.close())
	require.False(t, p.close())
	require.False(t, p.requestReclaim(then), "it belongs to another worker")
}

// A partition is paused when it has more than its share while all have what they may, and is
// fetched again when half of that is applied.
func TestPartition_isFetchedWhileThereIsRoom(t *testing.T) {
	t.Parallel()
	const share = 1000
	p := newPartition(Claim{}, &cloudevents.Types{}, then)
	p.open()
	for _, c := range []struct {
		queued, own int
		paused      bool
	}{
		{queueBytes, share + 1, false}, {queueBytes + 1, share, false}, {queueBytes + 1, share + 1, true},
		{queueBytes/2 + 1, share / 2, true}, {queueBytes / 2, share/2 - 1, false}, {queueBytes + 1, share + 1, true}, {queueBytes/2 - 1, share, false},
	} {
		p.queue.bytes = c.own
		p.paused = p.pauses(c.queued, share)
		require.Equal(t, c.paused, p.paused, c)
	}
	p.fetch.pause(time.Second, then)
	require.True(t, p.pauses(0, share), "a fetch failed")
	require.False(t, p.fetch.resume(then.Add(time.Second-1)))
	require.Equal(t, time.Millisecond, p.fetch.resumes(then.Add(time.Second-1)))
	require.True(t, p.fetch.resume(then.Add(time.Second)))
	require.False(t, p.pauses(0, share))
	p.fetch.lost = true
	p.paused = p.pauses(0, share)
	p.requestReclaim(time.Time{})
	p.reclaimed(Claim{}, false, then)
	require.True(t, p.pauses(0, share), "the client would fetch from where it was")
	p.open()
	require.False(t, p.pauses(0, share))
}

// What is told as applied and published is behind no row that is not published, also where
// transactions have no rows.
func TestPublished_isBehindNothingThatIsNot(t *testing.T) {
	t.Parallel()
	s := publishedOf(Claim{NextOffset: 10, NextRow: 5, Published: 3})
	s.settle(4)
	require.Equal(t, int64(-1), s.offset, "rows of before the claim are not published")
	s.settle(5)
	require.Equal(t, int64(10), s.offset)
	s.add(20, 0)
	s.settle(5)
	require.Equal(t, int64(20), s.offset)
	s.add(30, 2)
	s.add(40, 0)
	s.add(50, 1)
	s.settle(6)
	require.Equal(t, int64(20), s.offset)
	s.settle(7)
	require.Equal(t, int64(40), s.offset)
	s.settle(8)
	require.Equal(t, int64(50), s.offset)
	require.Len(t, s.marks, 1)
}

// The database is told of published rows by the next transaction, or when the partition rests, or
// when somebody waits; the group of what is applied and published, once.
func TestPartition_reportsWhatIsNotKnownYet(t *testing.T) {
	t.Parallel()
	p := partitionOf(3)
	save, commit := p.report(0, then)
	require.Equal(t, []bool{false, true}, []bool{save, commit}, "the group is told where it begins")
	p.published.committed = p.published.offset
	p.applied(3, 3, 2, then)
	save, commit = p.report(1, then.Add(reportEvery-1))
	require.Equal(t, []bool{false, false}, []bool{save, commit}, "it may move again soon")
	save, commit = p.report(2, then.Add(reportEvery))
	require.Equal(t, []bool{true, true}, []bool{save, commit}, "it rests, and all is published")
	p.busy = true
	save, _ = p.report(2, then.Add(reportEvery))
	require.False(t, save, "it is about to move")
	p.published.nudged(then)
	require.True(t, p.saysAtOnce(then.Add(eagerFor)))
	require.False(t, p.saysAtOnce(then.Add(eagerFor+1)))
	save, _ = p.report(0, then)
	require.True(t, save, "somebody asked, also where there is nothing new")
	save, _ = p.report(0, then)
	require.False(t, save)
	p.silenced(errors.New("no leader"), then)
	_, commit = p.report(2, then)
	require.False(t, commit, "what the group was told is still to be compared")
	require.False(t, partitionOf(0).tellAgain(), "it was told nothing yet")
	p.published.committed = 3
	require.True(t, p.tellAgain())
	require.Equal(t, int64(-1), p.published.committed)
}

// Promise 4 and promise 5: a command that fails is held once it is the one at fault, and not where
// everything fails.
func TestFailing_holdsACommandAndNotAnOutage(t *testing.T) {
	t.Parallel()
	broken := errors.New("division by zero\nand more")
	fail := func(f *failing, s *failureStats, others bool, times int) (held bool) {
		for range times {
			require.False(t, held)
			held = f.failed(broken, s, others, then)
		}
		return held
	}
	var f failing
	s := &failureStats{}
	require.False(t, fail(&f, s, true, 30), "others may show whether all fail")
	require.InDelta(t, 22.5*float64(time.Second), f.retryAt.Sub(then), 7.5*float64(time.Second))
	s.commits++
	require.True(t, fail(&f, s, true, 1), "others were applied meanwhile")
	require.Equal(t, "it failed 31 times alone: division by zero", f.why)
	require.Zero(t, f.retryAt)

	f = failing{}
	require.False(t, fail(&f, s, false, patientFailures-1))
	require.True(t, fail(&f, s, false, 1), "nobody else can show it")

	for range maxHolds {
		s.count([]Outcome{{}}, true)
	}
	f = failing{}
	s.commits += 5
	require.False(t, fail(&f, s, false, 50), "one after the other failed, and none was applied: that is an outage")
	s.count([]Outcome{{Result: Held}, {Result: Discarded}}, false)
	require.False(t, s.mayHold(), "none was applied")
	s.count([]Outcome{{Result: Held}, {Result: NoEffect}}, false)
	require.True(t, fail(&f, s, false, 1))
}

// A command that ends its process is found by probes that the database knows of.
func TestCrashProbe_findsTheRecordThatCrashes(t *testing.T) {
	t.Parallel()
	p := probeOf(Claim{NextOffset: 100, Attempts: 1})
	require.Zero(t, p.next(100), "processes end for other reasons, too")
	p = probeOf(Claim{NextOffset: 100, Attempts: 2})
	for _, size := range []int{1, 8, 64, 512, 4096} {
		require.Equal(t, size, p.next(100))
		p.pass(100 + int64(size))
	}
	require.Zero(t, p.next(5000), "as ever")

	p = probeOf(Claim{NextOffset: 100, Attempts: 2, CrashedBelow: 612})
	require.Equal(t, 512/probeShrink, p.next(100))
	goesOn, fails := p.begun(100, 108, 8, Probe{Crashes: 1, LargestEnd: 108})
	require.False(t, goesOn, "just this one crashed before")
	require.Empty(t, fails)
	require.True(t, p.ended)
	require.Equal(t, 1, p.next(100))
	goesOn, fails = p.begun(100, 101, 1, Probe{Crashes: fatalProbes - 1, LargestEnd: 108})
	require.True(t, goesOn)
	require.Empty(t, fails)
	goesOn, fails = p.begun(100, 101, 1, Probe{Crashes: fatalProbes, LargestEnd: 101})
	require.True(t, goesOn)
	require.Equal(t, "its worker's process ended 2 times while it was applied alone", fails)
	p.pass(108)
	require.Equal(t, 8, p.next(108), "behind it as fast as before")
}

// Who goes on behind a batch whose header cannot be read passes nothing else: it is told when all
// that comes before is applied.
func TestPartition_isQuarantinedWhenAllIsAppliedThatComesBefore(t *testing.T) {
	t.Parallel()
	w := &Worker{}
	waits, applies := partitionOf(2), partitionOf(0)
	applies.busy = true
	for _, p := range []*partition{waits, applies} {
		p.oversized = &oversized{which: &leftPackedError{}, cancel: func() {}}
		require.False(t, w.gotOversizedHeader(p, nil, errBadHeader), "it is asked again")
		require.Equal(t, running, p.state)
		require.Empty(t, p.quarantineReason)
	}
}

// The parked command at fault is found as any other, and held again.
func TestIsolation_findsTheParkedCommandAtFault(t *testing.T) {
	t.Parallel()
	at := func(offset int64) record {
		return record{Record: &kgo.Record{Offset: offset}, parked: &Parked{From: outbox.Source{ID: 3}}}
	}
	i := &isolation{limit: maxRedrive}
	broken := errors.New("division by zero")
	require.False(t, i.failed(make([]record, 100), broken, true, then))
	require.Equal(t, 1, i.limit)
	i.applied(1)
	require.Equal(t, []int{1, 99}, []int{i.limit, i.suspects}, "it is among the others")
	for range maxFailures {
		require.Empty(t, i.failure)
		require.True(t, i.failed([]record{at(7)}, broken, true, then))
	}
	require.Equal(t, "it failed 3 times alone: division by zero", i.failure)
	require.Equal(t, headOf([]record{at(7)}), i.head)
	require.NotEqual(t, headOf([]record{at(8)}), i.head)
	i.applied(1)
	require.Empty(t, i.failure)
	require.Equal(t, 2, i.limit)
	for range 10 {
		i.failed([]record{at(9)}, broken, false, then)
	}
	require.Empty(t, i.failure, "all fail: that is an outage")
	i.standAside(8, then)
	require.Equal(t, 4, i.limit)
	require.Equal(t, then.Add(lockedAgain), i.at)
}

// A client that unpacks slowly gets more and more time for it, however long the log takes to be
// asked. While it unpacks, the log is not asked.
func TestPartition_leavesTheClientTimeToUnpack(t *testing.T) {
	t.Parallel()
	p := partitionOf(0)
	p.log.stable = 9
	const asking = 12 * time.Second
	now, since := then, then // when the client began to have time
	var had []time.Duration
	for len(had) < 7 {
		p.whyNothingComes(now, time.Minute)
		require.False(t, p.lookForGap(now, true))
		if p.lookForGap(now, false) {
			had = append(had, now.Sub(since))
			for end := now.Add(asking); now.Before(end); now = now.Add(fetchLook) {
				require.False(t, p.lookForGap(now, false))
			}
			p.gap, since = nil, now
		}
		now = now.Add(fetchLook)
	}
	require.Equal(t, gapLook, had[0])
	for i, least := range []time.Duration{5, 10, 20, 40, 80, 150} {
		require.GreaterOrEqual(t, had[i+1], least*time.Second)
	}
	p.fetch.came()
	require.False(t, p.lookForGap(now, false))
	p.whyNothingComes(now, time.Minute)
	require.True(t, p.lookForGap(now.Add(gapAgain), false), "what comes ends the long waits")
	require.True(t, p.explained(5, nil))
	require.Zero(t, p.fetch.looks, "nor does a look count that found where to go on")
}

// A database that lost a transaction is noticed, whatever the transaction applied.
func TestPartition_isAheadOfADatabaseThatLostATransaction(t *testing.T) {
	t.Parallel()
	now := then
	p := newPartition(Claim{NextOffset: 7, NextRow: 20}, nil, now)
	require.False(t, p.isAheadOf(7, 20))
	p.redriven(3, now)
	require.True(t, p.isAheadOf(7, 20))
	require.False(t, p.isAheadOf(7, 23))
	p.move(8, 0, now)
	require.True(t, p.isAheadOf(7, 23))
}

// A claim tells of lost transactions by its position, or by having a new one for the log of before.
func TestLostCommits(t *testing.T) {
	t.Parallel()
	log, other := outbox.Source{ID: 4, TopicID: [16]byte{1}}, outbox.Source{ID: 5, TopicID: [16]byte{2}}
	p := newPartition(Claim{Source: log, NextOffset: 7, NextRow: 20}, nil, then)
	again := log
	again.ID = 6
	for name, c := range map[string]struct {
		claim Claim
		lost  bool
	}{
		"all is there":           {Claim{Source: log, NextOffset: 7, NextRow: 20}, false},
		"records":                {Claim{Source: log, NextOffset: 6, NextRow: 20}, true},
		"parked commands":        {Claim{Source: log, NextOffset: 7, NextRow: 19}, true},
		"an operator's decision": {Claim{Source: log, NextOffset: 6, NextRow: 20, Replay: Replay{Below: 7, Times: 1}}, false},
		"the position":           {Claim{Source: again, NextOffset: 7}, true},
		"a topic made again":     {Claim{Source: other}, false},
	} {
		require.Equal(t, c.lost, lostCommits(p, c.claim), name)
	}
	require.False(t, lostCommits(newPartition(Claim{}, nil, then), Claim{Source: log}), "it had no claim before")
}
