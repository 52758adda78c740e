package worker

import "time"

// reclaim is about a partition whose claim or last commit is in doubt. The reclaimer claims it
// again.
type reclaim struct {
	fencedAt time.Time // zero: not fenced, claim at once
	at       time.Time // not before this
	tries    int       // in a row since it was requested, those that failed included
	ahead    int       // in a row after which records came of a newer leader than the one that was asked
	failed   error     // why the last one failed; nil: it did not
}

// unsettled is after how many claims in a row, some seconds apart, no leader is expected to answer
// that knows of the records' own.
const unsettled = 10

// mayReclaim reports whether the partition is to be claimed again and was not fenced since a
// heartbeat was answered: only a later one can tell that it is still assigned.
func (p *partition) mayReclaim(beat time.Time) bool {
	return p.state == reclaiming && (p.reclaim.fencedAt.IsZero() || beat.After(p.reclaim.fencedAt))
}

// reclaimFailed notes a claim in vain.
func (p *partition) reclaimFailed(err error, now time.Time) {
	r := &p.reclaim
	r.failed = err
	r.tries++
	r.at = now.Add(backoff(r.tries, 50*time.Millisecond, 2*time.Second))
}

// reclaimed begins the partition from its new claim. The poll loop sets its fetch position.
func (p *partition) reclaimed(c Claim, silent bool, now time.Time) {
	tries := p.reclaim.tries
	if !silent && p.silence.why == nil {
		tries++
	}
	p.claimed(c, now)
	p.reclaim.tries, p.reclaim.failed = tries, nil
	p.reclaim.at = now.Add(backoff(tries, 20*time.Millisecond, 2*time.Second)) // should it be fenced again at once
	p.state = seeking
}

// aheadOfLeader has a partition claimed again that has records of a newer leader than its log was
// compared under.
func (p *partition) aheadOfLeader() bool {
	p.reclaim.ahead++
	return p.requestReclaim(time.Time{})
}
