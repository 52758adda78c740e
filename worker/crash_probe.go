package worker

import (
	"context"
	"fmt"
)

// crashProbe finds records that crash their worker. If a position did not move between two claims,
// its records are applied in small probes. The database is told of each before it begins. A probe
// that never ended is tried again in smaller ones, and a record that crashed fatalProbes alone is
// held. Most processes end for other reasons, so probes must be cheap.
type crashProbe struct {
	probeSize    int   // most commands of the next probe; 0: none is needed
	crashedBelow int64 // the end of a probe that never finished; 0: none
	probeStep    int   // most commands of a probe below that
	probeEnded   bool  // a probe at this position ended, with an error
}

const (
	probeGrowth = 8  // the next probe is so many times larger after one that ended well
	probeShrink = 64 // and so many times smaller after one that never ended
)

// fatalProbes is how many probes of one record must not have ended before it is held. A process may
// end for other reasons, too.
const fatalProbes = 2

// startProbes begins probes if the position did not move since an earlier claim, or if a probe
// never ended.
func (p *crashProbe) startProbes(c Claim) {
	p.probeSize, p.crashedBelow, p.probeStep = 0, 0, 0
	if c.Attempts > 1 || c.CrashedBelow > 0 {
		p.probeSize = 1
	}
	p.noteCrash(c.NextOffset, c.CrashedBelow)
}

// noteCrash notes that a probe from one offset to another never ended.
func (p *crashProbe) noteCrash(from, to int64) {
	if to > from {
		p.crashedBelow, p.probeStep = to, max(1, int(to-from)/probeShrink)
	}
}

// nextProbe is how many commands to try at once.
func (p *partition) nextProbe() int {
	if p.next < p.crashedBelow {
		return p.probeStep
	}
	return p.probeSize
}

// passProbe makes the next probe larger after one that ended well, until it is a transaction like
// any other.
func (p *partition) passProbe() {
	p.probeEnded = false
	if p.probeSize == 0 || p.next < p.crashedBelow {
		return
	}
	p.probeSize *= probeGrowth
	if p.probeSize > maxProbe {
		p.probeSize = 0
	}
}

// maxProbe is how many records at a position may crash: those of the largest transaction.
const maxProbe = 4096

// probe tells the database of a probe. It returns false if the probe would be too large: then a
// smaller one must be gathered.
func (a *applier) probe(ctx context.Context, work *work) (ok bool, err error) {
	if len(work.records) == 0 {
		return true, nil
	}
	w, p, end := a.w, work.partitions[0], work.records[len(work.records)-1].Offset+1
	probe, err := w.store.BeginProbe(ctx, work.transaction.Moves[0], end, p.probeEnded)
	if err != nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p.probeEnded = false
	if probe.Crashes == 0 && probe.LargestEnd <= end {
		return true, nil
	}
	if len(work.records) > 1 {
		p.noteCrash(p.next, probe.LargestEnd)
		p.probeEnded = true // this probe is not begun
		return false, nil
	}
	if probe.Crashes >= fatalProbes {
		work.fails = fmt.Sprintf("its worker's process ended %d times while it was applied alone", probe.Crashes)
	}
	return true, nil
}
