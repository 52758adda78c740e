package worker

import "fmt"

// crashProbe finds records that crash their worker. If a position did not move between two claims,
// its records are applied in small probes. The database is told of each before it begins. A probe
// that never ended is tried again in smaller ones, and a record that crashed fatalProbes alone is
// held. Most processes end for other reasons, so probes must be cheap.
type crashProbe struct {
	size         int   // most commands of the next probe; 0: none is needed
	crashedBelow int64 // the end of a probe that never finished; 0: none
	step         int   // most commands of a probe below that
	ended        bool  // a probe at this position ended, with an error
}

const (
	probeGrowth = 8  // the next probe is so many times larger after one that ended well
	probeShrink = 64 // and so many times smaller after one that never ended
)

// fatalProbes is how many probes of one record must not have ended before it is held. A process may
// end for other reasons, too.
const fatalProbes = 2

// probeOf begins probes if the position did not move since an earlier claim, or if a probe never
// ended.
func probeOf(c Claim) (p crashProbe) {
	if c.Attempts > 1 || c.CrashedBelow > 0 {
		p.size = 1
	}
	p.crashed(c.NextOffset, c.CrashedBelow)
	return p
}

// crashed notes that a probe from one offset to another never ended.
func (p *crashProbe) crashed(from, to int64) {
	if to > from {
		p.crashedBelow, p.step = to, max(1, int(to-from)/probeShrink)
	}
}

// next is how many commands to try at once from an offset on.
func (p *crashProbe) next(from int64) int {
	if from < p.crashedBelow {
		return p.step
	}
	return p.size
}

// pass makes the next probe larger after one that ended well, until it is a transaction like any
// other.
func (p *crashProbe) pass(to int64) {
	p.ended = false
	if p.size == 0 || to < p.crashedBelow {
		return
	}
	p.size *= probeGrowth
	if p.size > maxProbe {
		p.size = 0
	}
}

// begun takes what the database knows of probes at the position of a probe of so many records. It
// reports whether the probe may go on: one that is too large may not. fails says why its one record
// is held.
func (p *crashProbe) begun(from, end int64, records int, known Probe) (goesOn bool, fails string) {
	p.ended = false
	switch {
	case known.Crashes == 0 && known.LargestEnd <= end:
	case records > 1:
		p.crashed(from, known.LargestEnd)
		p.ended = true // this probe is not begun
		return false, ""
	case known.Crashes >= fatalProbes:
		return true, fmt.Sprintf("its worker's process ended %d times while it was applied alone", known.Crashes)
	}
	return true, ""
}

// maxProbe is the most records of a probe: those of the largest transaction.
const maxProbe = 4096
