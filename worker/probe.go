package worker

import "context"

// probe tells the database of a probe. It returns false if the probe would be too large: then a
// smaller one must be gathered.
func (a *applier) probe(ctx context.Context, work *work) (ok bool, err error) {
	if len(work.records) == 0 {
		return true, nil
	}
	w, p, end := a.w, work.partitions[0], work.records[len(work.records)-1].Offset+1
	known, err := w.store.BeginProbe(ctx, work.transaction.Moves[0], end, p.probe.ended)
	if err != nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	ok, work.fails = p.probe.begun(p.next, end, len(work.records), known)
	return ok, nil
}
