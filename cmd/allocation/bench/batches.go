package bench

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// batches is how many commands workers put into a transaction, from the histogram that they keep.
type batches struct {
	transactions uint64
	commands     float64
	buckets      map[float64]uint64 // transactions of at most so many commands
}

const batchesMetric = "allocation_batch_commands"

// addBatches adds those of a worker.
func (w *worker) addBatches(ctx context.Context, b *batches) error {
	answer, err := get(ctx, w.url+"/metrics")
	if err != nil {
		return fmt.Errorf("read a worker's metrics: %w", causeOf(ctx, err))
	}
	defer answer.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		return fmt.Errorf("read a worker's metrics: %w", err)
	}
	if b.buckets == nil {
		b.buckets = map[float64]uint64{}
	}
	for _, m := range families[batchesMetric].GetMetric() {
		b.transactions += m.GetHistogram().GetSampleCount()
		b.commands += m.GetHistogram().GetSampleSum()
		for _, bucket := range m.GetHistogram().GetBucket() {
			b.buckets[bucket.GetUpperBound()] += bucket.GetCumulativeCount()
		}
	}
	return nil
}

// Batches says how many commands workers put into a transaction.
type Batches struct {
	Transactions uint64         `json:"transactions"`
	Mean         float64        `json:"mean_commands"`
	AtMost       []BatchesBound `json:"at_most"`
}

// BatchesBound is how many transactions had at most so many commands.
type BatchesBound struct {
	Commands     float64 `json:"commands"`
	Transactions uint64  `json:"transactions"`
}

// since are the transactions after a moment; nil where there were none.
func (b batches) since(before batches) *Batches {
	n := b.transactions - before.transactions
	if n == 0 {
		return nil
	}
	s := &Batches{Transactions: n, Mean: (b.commands - before.commands) / float64(n)}
	for _, bound := range slices.Sorted(maps.Keys(b.buckets)) {
		if !math.IsInf(bound, 1) {
			s.AtMost = append(s.AtMost, BatchesBound{bound, b.buckets[bound] - before.buckets[bound]})
		}
	}
	return s
}
