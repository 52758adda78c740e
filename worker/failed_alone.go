package worker

import (
	"time"

	"allocation/outbox/telemetry"
)

// failedAlone counts a command's failure alone. When it failed often enough, while others did not,
// it is held. The caller holds mu.
func (w *Worker) failedAlone(p *partition, command telemetry.Record, err error, now time.Time) {
	log := w.logger.With(command.LogAttrs()...).With("failures", p.failing.times+1, "error", err)
	if p.failing.failed(err, &w.failures, w.othersTry(p), now) {
		log.Error("command failed when applied alone: it becomes a dead letter, and later ones of its key wait for it")
		return
	}
	log.Error("command failed when applied alone, retrying")
}

// othersTry reports whether another partition may yet show that commands can be applied. The caller
// holds mu.
func (w *Worker) othersTry(p *partition) bool {
	for _, other := range w.partitions {
		if other != p && other.mayShow() {
			return true
		}
	}
	return false
}
