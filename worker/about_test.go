package worker

import (
	"bytes"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"allocation/outbox"
)

// Log lines about a command name it in the same words, whatever they tell: where it came by, its
// key and its trace.
func TestWorker_logsAboutACommandInTheSameWords(t *testing.T) {
	t.Parallel()
	const first, second = " topic=commands partition=3 offset=0 key=a trace_id=0af7651916cd43dd8448eb211c80319c ", " topic=commands partition=3 offset=1 key=a "
	for name, c := range map[string]struct {
		happens func(a *applier, work *work)
		says    string
	}{
		"it fails alone": {says: "msg=\"command failed when applied alone, retrying\"" + first + "failures=1 error=odd", happens: func(a *applier, work *work) {
			work.transaction.Commands, work.records = work.transaction.Commands[:1], work.records[:1]
			a.finish(t.Context(), work, errors.New("odd"))
		}},
		"it needs what is locked": {says: "msg=\"a partition waits alone for what somebody else has locked\"" + second + "locked=\"a row\" holder=them", happens: func(a *applier, work *work) {
			a.finish(t.Context(), work, &LockedError{What: "a row", Holder: "them", From: map[int]int64{0: 1}})
		}},
		"it was parked and fails": {says: "msg=\"a parked command fails, retrying\" topic=before partition=1 offset=0 key=a trace_id=0af7651916cd43dd8448eb211c80319c failures=1 error=odd", happens: func(a *applier, work *work) {
			work.redrive, work.records = true, work.records[:1]
			work.records[0].parked = &Parked{From: outbox.Source{Topic: "before", Partition: 1}}
			a.finish(t.Context(), work, errors.New("odd"))
		}},
		"it ended its worker": {says: "msg=\"command became a dead letter, and later ones of its key wait for it\"" + first + "reason=\"it crashed\"", happens: func(a *applier, work *work) {
			work.probe, work.fails, work.applied.Outcomes = true, "it crashed", make([]Outcome, 2)
			a.finish(t.Context(), work, nil)
		}},
	} {
		var log bytes.Buffer
		metrics := NewMetrics(prometheus.NewRegistry())
		logger := slog.New(slog.NewTextHandler(&log, nil))
		a := applierOf(partitionOf(2))
		a.w.logger, a.w.metrics, a.w.throttled.logger = logger, metrics, logger
		a.w.freed = sync.NewCond(&a.w.mu)
		a.short.limit = 1
		work := workOf(sampledParent, "")
		work.pace, work.partitions, work.taken = &a.short, a.partitions, []int{2}
		a.partitions[0].state = waiting
		c.happens(a, work)
		require.Contains(t, log.String(), c.says, name)
	}
}
