package worker

import "time"

// pace is how many commands an applier takes at once, and how long it pauses after a transaction
// that failed. Fewer are taken while one of them is at fault, or while others keep being first.
type pace struct {
	most      int // that it may ever take
	limit     int // commands in the next transaction
	suspects  int // commands of which one is at fault
	conflicts int // in a row
	outages   int // in a row
}

// After a few conflicts in a row keys are locked before they are read, if by then the transaction
// has few commands: others wait for it, and many keys locked for long would be worse for all than
// more conflicts.
const (
	conflictsToLock = 4
	fewToLock       = 16 // commands
)

// faultShrink is by which factor fewer commands are tried after some of which one is at fault. A
// fault may take long, such as a timeout of Postgres, and transactions of few commands are quick:
// so it is found with few faults, and up to as many transactions for each.
const faultShrink = 64

// locksFirst reports whether keys are to be locked before they are read.
func (p *pace) locksFirst(commands int) bool {
	return p.conflicts >= conflictsToLock && commands <= fewToLock
}

// committed notes a transaction of so many commands.
func (p *pace) committed(commands int) {
	p.conflicts, p.outages = 0, 0
	if p.suspects = max(0, p.suspects-commands); p.suspects == 0 {
		p.limit = min(2*p.limit, p.most)
	}
}

// conflicted notes that others changed keys of so many commands, and says how long to pause. When
// others are first again and again, fewer commands are decided sooner, and touch fewer of their
// keys.
func (p *pace) conflicted(commands int) time.Duration {
	p.conflicts++
	if p.conflicts > 1 {
		p.halve(commands)
	}
	if p.conflicts > 2 {
		return jitter(time.Duration(min(p.conflicts, 20)) * time.Millisecond)
	}
	return 0
}

// outage notes that Postgres serves nobody, and says how long to pause.
func (p *pace) outage() time.Duration {
	p.outages++
	return backoff(p.outages, 100*time.Millisecond, 2*time.Second)
}

// halve has at most half as many commands taken.
func (p *pace) halve(commands int) { p.limit = max(1, commands/2) }

// failed notes that one of so many commands is at fault, and reports whether it is known which.
func (p *pace) failed(commands int) (known bool) {
	if commands > 1 {
		p.suspects, p.limit = commands, max(1, commands/faultShrink)
		return false
	}
	p.suspects = 0
	return true
}
