package bench

import "time"

const stormSKU = "STORM"

// stormCommand halves the batch of the storm's product: half of its lines, of one piece each, move
// to the other batch.
func stormCommand(lines int) message {
	kept := lines / 2
	return newQuantity(mainBatch(stormSKU), stormSKU, kept, 1, 1+2*(lines-kept))
}

// stormReport tells what became of the storm that was due at a time since the load began.
func (r *run) stormReport(due time.Duration) *StormReport {
	took := max(r.book.entries[r.storm].took, time.Nanosecond)
	beside := r.book.beside(r.storm)
	others := func(e entry) bool { return e.command != changeQuantity }
	return &StormReport{
		Lines: r.plan.lines, Moved: r.plan.lines - r.plan.lines/2, Seconds: took.Seconds(),
		Before: r.book.latencies(warmUp, due, others)[all],
		During: r.book.latencies(due, due+took, func(e entry) bool { return others(e) && beside[e.partition] })[all],
		Behind: r.book.latencies(due, due+took, func(e entry) bool { return others(e) && !beside[e.partition] })[all],
	}
}

// beside are the partitions whose commands did not wait for a storm: most of their commands that
// were due between the storm and its first event had their events by then. An applier commits one
// transaction after the other, so the other partitions of the storm's applier do wait.
func (b *book) beside(storm int) map[int32]bool {
	from, to := b.entries[storm].due, b.entries[storm].first
	ahead := map[int32]int{}
	for _, e := range b.entries {
		if e.due < from || e.due >= to {
			continue
		}
		if e.due+e.took < to {
			ahead[e.partition]++
		} else {
			ahead[e.partition]--
		}
	}
	beside := map[int32]bool{}
	for partition, n := range ahead {
		beside[partition] = n > 0
	}
	return beside
}
