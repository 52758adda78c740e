package worker

import (
	"fmt"
	"time"
)

// fetching is about what comes from a partition's log, and what keeps it from coming.
type fetching struct {
	failure   string    // of the last fetch; empty: it did not fail
	failures  int       // in a row
	resumeAt  time.Time // it is paused until then because a fetch failed; zero: it is not
	resumedAt time.Time // after a failure
	noRoomAt  time.Time // when what is in memory last kept more from being unpacked; zero: something came since
	lost      bool      // the log has not what is fetched next: a claim has to tell where to go on

	behindSince time.Time // records wait in Kafka, and none has come since; zero: none wait
	looks       int       // how often the log was asked in vain what they are
	lookAt      time.Time // it is not asked before
	measuredAt  time.Time // when Kafka last said where the log ends
}

const (
	failedFirst = time.Second     // after which a fetch that failed is tried again
	failedMost  = 5 * time.Second // after many failures: how soon it is noticed that the cause is gone
	noRoomPause = 50 * time.Millisecond

	// A partition without room is fetched again after noRoomPause, and says so again. One that has
	// not said so for so long waits no longer, though nothing came.
	noRoomFor = time.Second

	// A fetch that is answered without records is not heard of. After so long without another error
	// it was.
	answeredAfter = watchEvery + 5*time.Second

	measureEvery = 10 * time.Second // how old a stable offset may be
)

// came notes that records came.
func (f *fetching) came() {
	f.failure, f.failures, f.behindSince, f.noRoomAt, f.looks = "", 0, time.Time{}, time.Time{}, 0
}

// failed notes why nothing comes.
func (f *fetching) failed(why string, now time.Time) {
	f.failures++
	f.failure, f.resumedAt = why, now
}

// lacksRoom reports whether what is in memory keeps more from being unpacked.
func (f *fetching) lacksRoom(now time.Time) bool { return now.Sub(f.noRoomAt) <= noRoomFor }

// pause keeps the partition from being fetched for a while.
func (f *fetching) pause(wait time.Duration, now time.Time) { f.resumeAt = now.Add(wait) }

// resume ends a pause that is over, and reports whether there was one.
func (f *fetching) resume(now time.Time) bool {
	if f.resumeAt.IsZero() || now.Before(f.resumeAt) {
		return false
	}
	f.resumeAt, f.resumedAt = time.Time{}, now
	return true
}

// resumes is how long a pause lasts yet; 0: there is none.
func (f *fetching) resumes(now time.Time) time.Duration {
	if f.resumeAt.IsZero() {
		return 0
	}
	return max(time.Millisecond, f.resumeAt.Sub(now))
}

// unmeasured reports whether nobody has said for long where the partition's log ends.
func (f *fetching) unmeasured(now time.Time, patience time.Duration) bool {
	return now.Sub(f.measuredAt) > patience+measureEvery
}

// pauses reports whether the client should not fetch a partition: one that cannot take records, or
// one that has more than its share of records waiting while all partitions together have what they
// may, until half of that is applied. A partition that has all the work may have all the room: a
// resumed one waits out the fetch in flight, of partitions without any, and should have enough to
// do meanwhile.
func (p *partition) pauses(queued, share int) bool {
	switch {
	case p.quarantineReason != "" || p.state == quarantined || p.silence.why != nil || p.oversized != nil || p.gap != nil || p.fetch.lost || !p.fetch.resumeAt.IsZero():
		return true
	case p.state == reclaiming || p.state == seeking: // the poll loop sets the position before it is fetched again
		return p.paused
	case p.paused:
		return queued >= queueBytes/2 && p.queue.bytes >= share/2
	}
	return queued > queueBytes && p.queue.bytes > share
}

const (
	gapLook  = 2 * time.Second
	gapAgain = 10 * time.Second // between two looks for what does not come; twice as long after each
	gapMost  = 5 * time.Minute
)

// lookForGap has the log asked where records wait and none comes, unless it is known why, and
// reports whether it is to be asked. For as long as it is asked, the client drops what it fetches.
// So afterwards the client has time: more and more of it, for it may be slow to unpack what comes.
// unpacking says that it is at that now.
func (p *partition) lookForGap(now time.Time, unpacking bool) bool {
	f := &p.fetch
	if p.gap != nil {
		f.lookAt = now.Add(backoff(f.looks, gapAgain, gapMost))
		return false
	}
	if soon := now.Add(gapAgain); f.looks == 0 && f.lookAt.After(soon) {
		f.lookAt = soon // something came since
	}
	if f.behindSince.IsZero() || now.Sub(f.behindSince) < gapLook || now.Before(f.lookAt) || unpacking ||
		p.state != running || p.oversized != nil || p.paused || f.lacksRoom(now) {
		return false
	}
	f.looks++
	f.lookAt = now.Add(backoff(f.looks, gapAgain, gapMost))
	p.gap = &gap{from: p.queue.end, until: p.log.stable}
	return true
}

// whyNothingComes says what keeps records from coming; empty where nothing does, or none wait.
func (p *partition) whyNothingComes(now time.Time, patience time.Duration) string {
	if p.silence.why != nil {
		return p.silence.why.Error()
	}
	f := &p.fetch
	switch p.state {
	case running, draining:
	case quarantined:
		return f.failure
	default:
		if p.trouble.unapplied {
			return ""
		}
		return p.trouble.why // claimed again, it is fetched anew
	}
	if f.failure != "" && f.resumeAt.IsZero() && now.Sub(f.resumedAt) > answeredAfter {
		f.failure, f.failures = "", 0
	}
	switch {
	case f.failure != "":
		return f.failure
	case p.gap != nil: // the log is asked
	case p.log.stable <= p.queue.end || p.paused && f.resumeAt.IsZero() || p.oversized != nil:
		f.behindSince = time.Time{}
	case f.behindSince.IsZero():
		f.behindSince = now
	}
	if f.unmeasured(now, patience) {
		return "its leader does not say where its log ends"
	}
	switch late := !f.behindSince.IsZero() && now.Sub(f.behindSince) > patience; {
	case late && f.lacksRoom(now):
		return fmt.Sprintf("records wait from offset %d on, and there is no room for them: %s", p.queue.end, errNoRoom)
	case late:
		return fmt.Sprintf("records wait from offset %d on, and none of them comes, with no error", p.queue.end)
	}
	return ""
}
