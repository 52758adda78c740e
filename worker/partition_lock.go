package worker

import (
	"fmt"
	"time"
)

// locked is about what somebody outside of the service has locked, and a partition needs: it
// applies what comes before, and waits there alone.
type locked struct {
	from    int64 // the first record that needs it
	what    string
	holder  string
	since   time.Time
	againAt time.Time // not before this is it tried again
}

// lockedAgain is how soon it is tried again. It costs little: the store knows what is locked, and
// does not wait for it.
const lockedAgain = 500 * time.Millisecond

// blocked reports whether the partition's next record needs what is locked.
func (p *partition) blocked() bool {
	return p.lock != nil && len(p.queue.records) > 0 && p.queue.records[0].Offset >= p.lock.from
}

// beyondLock reports whether a record must wait for the lock.
func (p *partition) beyondLock(offset int64) bool { return p.lock != nil && offset >= p.lock.from }

// wait has a partition wait at an offset, and reports whether it did not wait for the same already.
func (p *partition) wait(from int64, what, holder string, now time.Time) (anew bool) {
	was := p.lock
	p.lock = &locked{from: from, what: what, holder: holder, since: now, againAt: now.Add(jitter(lockedAgain))}
	if was != nil {
		p.lock.since = was.since
	}
	return was == nil || was.what != what || was.holder != holder
}

// passLock ends the wait of a partition that came by what it waited for, and gives what that was;
// nil where it waits, or waited for nothing.
func (p *partition) passLock() (passed *locked) {
	if p.lock != nil && p.next > p.lock.from {
		passed, p.lock = p.lock, nil
	}
	return passed
}

func (l *locked) String() string {
	return fmt.Sprintf("waits at offset %d for %s, locked by %s", l.from, l.what, l.holder)
}
