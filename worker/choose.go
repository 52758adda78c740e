package worker

import "time"

// Partitions with little waiting and those with much take turns. What is little is then not applied
// as slowly as very many commands of others. It is not applied again and again where those are in
// conflict. A service with many events of another to catch up with goes on with its own commands.
//
// shortPart of a transaction that is quick enough, divided by the partitions, is what a partition
// with little waiting has at most.
const shortPart = 4

// restMost is how long partitions rest at most after a conflict. A service's StallTimeout is
// longer, so an applier that rests is not taken for one that stands still.
const restMost = 500 * time.Millisecond

// choose is which of the partitions that are ready have their turn, and whether that is those with
// much waiting. It is none while these rest and there are no others: see rests.
func (a *applier) choose(now time.Time, ready []*partition) (chosen []*partition, long bool) {
	little := max(quickLeast, a.long.quick/(shortPart*len(ready)))
	var short, much []*partition
	for _, p := range ready {
		if p.goesAlone() || len(p.queue.records) <= little {
			short = append(short, p)
		} else {
			much = append(much, p)
		}
	}
	rests := now.Before(a.longRests)
	if len(short) > 0 && (len(much) == 0 || rests || !a.turnOfLong) {
		a.turnOfLong = true
		if len(much) == 0 {
			a.turn++
		}
		return short, false
	}
	if rests || len(much) == 0 {
		return nil, true
	}
	a.turnOfLong = false
	a.turn++
	return much, true
}

// rests is how long to wait where all that are ready rest.
func (a *applier) rests(now time.Time) time.Duration { return max(0, a.longRests.Sub(now)) }

// rest has those with much waiting rest once to twice as long as it took to find that others were
// first, and twice as long after each conflict that follows. The others are done sooner then, and
// those with little go on meanwhile.
func (a *applier) rest(now time.Time, took time.Duration) {
	a.longRests = now.Add(jitter(min(took<<min(a.long.conflicts, 4), restMost)))
}
