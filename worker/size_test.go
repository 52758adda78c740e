package worker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A few commands, fetched at once, each of which moves very many lines: each of them is a
// transaction, so that what comes behind them, by their partition and by others, is reached, and a
// stop is obeyed.
func TestWorker_takesFewCommandsAtOnceThatMoveManyLines(t *testing.T) {
	const lines, changes = 12_000, 10
	p := setup(t, 2)
	p.client.Produce(t.Context(), p.on(command("CreateBatch", fmt.Sprintf(`{"ref":"b1","sku":"CHAIR","qty":%d}`, lines))), nil)
	for i := range lines {
		p.client.Produce(t.Context(), p.on(command("Allocate", fmt.Sprintf(`{"orderid":"o%d","sku":"CHAIR","qty":1}`, i))), nil)
	}
	require.NoError(t, p.client.Flush(t.Context()))
	m := p.start()
	p.await(1 + lines)
	p.awaitAllCommitted()
	require.NoError(t, m.stop())

	for i := range changes {
		p.client.Produce(t.Context(), p.on(command("ChangeBatchQuantity", fmt.Sprintf(`{"batchref":"b1","qty":%d}`, i%2*lines))), nil)
	}
	require.NoError(t, p.client.Flush(t.Context()))
	p.send(1, "CreateBatch", `{"ref":"b2","sku":"SOFA","qty":5}`)
	m = p.start()
	p.await(1 + lines + changes + changes/2*3*lines + 1)
	p.awaitAllCommitted()
	require.GreaterOrEqual(t, m.count("batch_commands"), uint64(changes/2))
	require.NoError(t, m.stop())
}

// count is how many values a histogram has.
func (m *member) count(name string) uint64 {
	families, _ := m.metrics.Gather()
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetHistogram().GetSampleCount()
		}
	}
	return 0
}
