package worker

import "time"

// pace is how many commands an applier takes at once, and how long it pauses after a transaction
// that failed. Fewer are taken while one of them is at fault, while others keep being first, or
// where they take long.
type pace struct {
	most      int           // that it may ever take
	limit     int           // commands in the next transaction, by how the last ones ended
	quick     int           // commands in the next transaction, by how long the last ones took
	quickly   time.Duration // how long it is to take at most
	filled    sample        // the last one with as many as that
	before    sample        // the last one before it that had another number
	suspects  int           // commands of which one is at fault
	conflicts int           // in a row
	outages   int           // in a row
}

func newPace(most, first int) pace {
	return pace{most: most, limit: most, quick: min(most, first), quickly: quickly}
}

// next is how many commands the next transaction takes at most.
func (p *pace) next() int { return min(p.limit, p.quick) }

// fewToLock is how many commands a transaction has at most whose keys are locked before they are
// read, after others were first: others wait for it, and many keys locked for long would be worse
// for all than more conflicts.
const fewToLock = 64

// faultShrink is by which factor fewer commands are tried after some of which one is at fault. A
// fault may take long, such as a timeout of Postgres, and transactions of few commands are quick:
// so it is found with few faults, and up to as many transactions for each.
const faultShrink = 64

// locksFirst reports whether keys are to be locked before they are read.
func (p *pace) locksFirst(commands int) bool {
	return p.conflicts > 0 && commands <= fewToLock
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

// sample is how long a transaction of so many commands took.
type sample struct {
	commands int
	took     time.Duration
}

// A transaction is to take quickly at most: what comes meanwhile waits for it. A pace begins with
// firstCommands, and takes at most twice as many after each transaction, or as few as an eighth
// (quickShrink), quickLeast at least. So a service whose commands cost ten times as much has
// transactions of a tenth. Two appliers of stock that apply 108,000 a second take 74 ms for 4,000.
const (
	quickly       = 100 * time.Millisecond
	firstCommands = 1000
	quickShrink   = 8
	quickLeast    = 16
)

// measured notes how long a transaction took. Those with fewer commands than there may be tell
// nothing.
func (p *pace) measured(s sample) {
	if s.commands < p.quick {
		return
	}
	if s.commands != p.filled.commands {
		p.before = p.filled
	}
	p.filled = s
	next := 2 * p.quick
	if 2*s.took > p.quickly {
		next = min(next, s.quick(p.quickly, p.before))
	}
	p.quick = min(p.most, max(quickLeast, p.quick/quickShrink, next))
}

// quick is how many commands are done quickly. Where a transaction takes long however few they are,
// it is as many as take as long as none: fewer would cost much and gain little. A transaction of
// another size tells how long one without commands takes.
func (s sample) quick(quickly time.Duration, other sample) int {
	n, took := float64(s.commands), float64(s.took)
	if other.commands == 0 || s.took <= quickly {
		return int(n * float64(quickly) / took)
	}
	each := (took - float64(other.took)) / (n - float64(other.commands))
	if each <= 0 {
		return 2 * s.commands
	}
	none := max(0, took-each*n)
	return int(max(float64(quickly)-none, none) / each)
}
