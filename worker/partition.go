package worker

import (
	"time"

	"allocation/worker/cloudevents"
)

// partition is a partition that the group assigned to this worker: its state, apart from I/O. The
// files partition*.go have all of it. Their methods change nothing but the state, and are told the
// time; Worker.follow has the client, the relay and the goroutines follow.
//
// Its name, topic and applier never change; all other fields are guarded by Worker.mu. While a
// partition is busy, only its applier changes its claim, its probe and how many parked commands it
// takes, so the applier may read these without the lock.
type partition struct {
	name    TopicPartition
	types   *cloudevents.Types // of its records
	applier *applier

	claim            Claim
	state            partitionState
	quarantineReason string // why the position cannot be used on the log; empty: it can
	busy             bool   // in the transaction of its applier: its queue's head must not be dropped
	stopDrain        func() // ends the goroutine that waits for its drain; nil: there is none
	paused           bool   // the client does not fetch it

	next    int64     // applied up to here
	movedAt time.Time // the last transaction

	queue     queue      // what was fetched, and is not applied yet
	gap       *gap       // what comes after the queue is not explained yet; else nil
	oversized *oversized // what comes after the queue, where that is a batch that is not unpacked; else nil

	published published
	failing   failing
	lock      *locked // what it waits for; nil: nothing
	probe     crashProbe
	catchUp   catchUp
	redrive   redrive
	reclaim   reclaim
	silence   silence
	fetch     fetching
	log       logEnd
	progress  progress
	trouble   trouble
}

// partitionState is where a partition stands between its claim and its end.
type partitionState uint8

const (
	draining    partitionState = iota // rows of before the claim are being published; records gather
	running                           // records are applied
	reclaiming                        // the claim or the outcome of a transaction is not known: the reclaimer claims it
	waiting                           // claimed, and nobody answers for its log: what is left of its events is published
	seeking                           // claimed again: the poll loop sets the fetch position
	quarantined                       // the position cannot be used: nothing is fetched, until an operator decides
	revoking                          // being revoked: nothing more is applied
	closed                            // revoked or lost
)

func newPartition(c Claim, types *cloudevents.Types, now time.Time) *partition {
	p := &partition{name: TopicPartition{c.Source.Topic, c.Source.Partition}, types: types}
	p.claimed(c, now)
	return p
}

// claimed begins a partition, again or for the first time, from a claim. What belongs to the claim
// of before is dropped.
func (p *partition) claimed(c Claim, now time.Time) {
	if c.NextOffset < p.next {
		p.catchUp = catchUp{} // there is more of it
	}
	p.claim, p.next, p.movedAt = c, c.NextOffset, now
	p.queue.reset(c.NextOffset)
	p.published = publishedOf(c)
	p.reclaim.fencedAt, p.reclaim.tries = time.Time{}, 0
	p.probe = probeOf(c)
	p.redrive.backlog = false
	p.fetch = fetching{measuredAt: now, looks: p.fetch.looks, lookAt: p.fetch.lookAt}
	p.trouble.saved = "" // it counts only under the claim that it was saved under
	p.lock = nil
}

// knowLog notes what a log means for the partition.
func (p *partition) knowLog(log Log, now time.Time) {
	p.quarantineReason = log.Unusable(p.claim.Position())
	p.queue.epoch = log.LeaderEpoch
	p.log.see(log.Stable, log.End, now)
	p.silence = silence{}
}

// open starts a partition from its claim, and reports whether rows of before the claim are to be
// published first.
func (p *partition) open() (drains bool) {
	if drains = p.claim.Published != p.claim.NextRow; drains {
		p.state = draining
	} else {
		p.start()
	}
	return drains
}

// start lets records be applied, unless the position cannot be used, or nobody answers for the log.
func (p *partition) start() {
	p.published.saveNow = true
	switch {
	case p.quarantineReason != "":
		p.quarantine()
	case p.silence.why != nil:
		p.state = waiting
	default:
		p.state = running
	}
}

// quarantine keeps a partition paused until an operator's decision fences its claim. The rows that
// it has are published.
func (p *partition) quarantine() {
	p.state = quarantined
	p.queue.drop()
	p.dropReads()
}

// requestReclaim has a partition claimed again, and reports whether it was not to be already.
// fencedAt is zero if that may be at once.
func (p *partition) requestReclaim(fencedAt time.Time) bool {
	if p.state == closed || p.state == reclaiming {
		return false
	}
	p.state, p.reclaim.fencedAt = reclaiming, fencedAt
	p.leave()
	return true
}

// close ends a partition, and reports whether it had not ended.
func (p *partition) close() bool {
	if p.state == closed {
		return false
	}
	p.state = closed
	p.leave()
	return true
}

// leave ends what is under way for the partition.
func (p *partition) leave() {
	p.dropReads()
	if p.stopDrain != nil {
		p.stopDrain()
	}
}

// dropReads forgets the batches of records that are read for a partition apart.
func (p *partition) dropReads() {
	p.oversized.drop()
	p.gap.drop()
	p.redrive.again.drop()
	p.oversized, p.gap, p.redrive.again = nil, nil, nil
}

// publishes reports whether the partition's claim holds, as far as is known, and its rows are
// published.
func (p *partition) publishes() bool {
	return p.state == running || p.state == draining || p.state == waiting
}

// isClaimed reports whether the claim may be used, as far as is known.
func (p *partition) isClaimed() bool {
	return p.state != reclaiming && p.state != seeking && p.state != closed
}

// toSeek reports whether the client is to fetch from another place: where the partition was claimed
// again, or passed a batch that is too large.
func (p *partition) toSeek() bool {
	return p.state == seeking || p.oversized != nil && p.oversized.skipped
}

// seekEpoch has the client look for itself whether the log was cut before its next fetch.
func (p *partition) seekEpoch() int32 {
	switch {
	case p.state != seeking && p.oversized != nil:
		return p.oversized.header.epoch
	case p.quarantineReason != "":
		return -1
	}
	return p.claim.LeaderEpoch
}

// applied moves the partition after a transaction took its first n records.
func (p *partition) applied(n int, to int64, rows int, now time.Time) {
	p.queue.take(n)
	p.move(to, rows, now)
	p.failing = failing{}
	p.reclaim.tries, p.reclaim.ahead = 0, 0
	p.probe.pass(to)
	if o := p.oversized; o != nil && o.header != nil && to > o.header.Last { // the poll loop goes on behind it
		o.skipped = true
		p.queue.end = max(p.queue.end, to)
	}
}

// redriven notes a transaction of parked commands.
func (p *partition) redriven(rows int, now time.Time) { p.move(p.next, rows, now) }

func (p *partition) move(to int64, rows int, now time.Time) {
	p.next, p.movedAt = to, now
	p.published.add(to, rows)
}

// isAheadOf reports whether a database that has a position so far lacks a transaction that it had:
// one of records, or one of parked commands, which makes rows and moves no offset.
func (p *partition) isAheadOf(nextOffset, nextRow int64) bool {
	return nextOffset < p.next || nextRow < p.published.nextRow
}

// hasNext reports whether there is something to apply.
func (p *partition) hasNext() bool { return len(p.queue.records) > 0 || p.oversizedNext() }

// hasRecords reports whether records wait or are being applied.
func (p *partition) hasRecords() bool { return p.busy || len(p.queue.records) > 0 }

// oversizedNext reports whether a batch that is not unpacked is what comes next.
func (p *partition) oversizedNext() bool {
	return len(p.queue.records) == 0 && p.oversized != nil && p.oversized.header != nil && !p.oversized.skipped
}

// ready reports whether the partition's next record may be applied now.
func (p *partition) ready(now time.Time) bool {
	return p.state == running && !p.busy && p.hasNext() && !now.Before(p.mayTryAt())
}

// mayTryAt is when the partition's next record may be tried.
func (p *partition) mayTryAt() time.Time {
	if p.blocked() {
		return p.lock.againAt
	}
	if p.failing.retryAt.After(p.catchUp.until) {
		return p.failing.retryAt
	}
	return p.catchUp.until
}

// goesAlone reports whether the next transaction must be of this partition alone.
func (p *partition) goesAlone() bool {
	return p.failing.alone || p.probe.size > 0 || p.oversizedNext() || p.blocked()
}

// moveTo is the change of position of a transaction that applies what comes before an offset.
func (p *partition) moveTo(to int64, epoch int32) PositionMove {
	return PositionMove{
		Source: p.claim.Source, Token: p.claim.Token, From: p.next, To: to, NextRow: p.published.nextRow, LeaderEpoch: epoch, Replay: p.claim.Replay,
		Published: p.published.saved,
	}
}
