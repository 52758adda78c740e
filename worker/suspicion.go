package worker

import (
	"context"
	"fmt"
)

// suspicion is about records that end the process of their worker, and leave no error behind. Where
// a position did not move between two claims, its records are applied alone, a few at first, and
// the database is told which before. Who finds there that such a trial never ended takes its
// records in smaller ones, and holds the record that ended several alone. Most processes that end
// do so for other reasons, so trials must be cheap.
type suspicion struct {
	trial    int   // most commands of the next trial; 0: there is no suspicion
	danger   int64 // records below this offset were in a trial that never ended
	step     int   // most commands of a trial among those
	survived bool  // a trial at this position ended, with an error
}

const (
	trialGrowth = 8  // the next trial is so many times larger after one that ended well
	trialShrink = 64 // and so many times smaller after one that never ended
)

// fatalTrials is how many trials of one record must not have ended before it is held. A process may
// end for other reasons, too.
const fatalTrials = 2

// suspect begins trials where the position did not move since an earlier claim, or a trial never
// ended.
func (s *suspicion) suspect(c Claim) {
	s.trial, s.danger, s.step = 0, 0, 0
	if c.Attempts > 1 || c.Danger > 0 {
		s.trial = 1
	}
	s.endanger(c.NextOffset, c.Danger)
}

// endanger notes that a trial from one offset to another never ended.
func (s *suspicion) endanger(from, to int64) {
	if to > from {
		s.danger, s.step = to, max(1, int(to-from)/trialShrink)
	}
}

// trialSize is how many commands to try at once.
func (p *partition) trialSize() int {
	if p.next < p.danger {
		return p.step
	}
	return p.trial
}

// survive makes the next trial larger after one that ended well, until it is a transaction like any
// other.
func (p *partition) survive() {
	p.survived = false
	if p.trial == 0 || p.next < p.danger {
		return
	}
	p.trial *= trialGrowth
	if p.trial > suspectRecords {
		p.trial = 0
	}
}

// suspectRecords is how many records at a position are suspected: those of the largest transaction.
const suspectRecords = 4096

// try notes a trial in the database. Not ok: the trial would be too large, and a smaller one must
// be gathered.
func (a *applier) try(ctx context.Context, work *work) (ok bool, err error) {
	if len(work.records) == 0 {
		return true, nil
	}
	w, p, to := a.w, work.partitions[0], work.records[len(work.records)-1].Offset+1
	earlier, reached, err := w.store.Try(ctx, work.transaction.Moves[0], to, p.survived)
	if err != nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p.survived = false
	if earlier == 0 && reached <= to {
		return true, nil
	}
	if len(work.records) > 1 {
		p.endanger(p.next, reached)
		p.survived = true // this trial is not begun
		return false, nil
	}
	if earlier >= fatalTrials {
		work.fails = fmt.Sprintf("its worker's process ended %d times while it was applied alone", earlier)
	}
	return true, nil
}
