package worker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A batch that shrinks under more lines than 16 bits can count: the one command has two events for
// each, in sequence, each with an id of its own.
func TestWorker_numbersAllEventsOfACommand(t *testing.T) {
	const lines = 1<<15 + 100
	p := setup(t, 1)
	p.client.Produce(t.Context(), p.on(command("CreateBatch", fmt.Sprintf(`{"ref":"b1","sku":"CHAIR","qty":%d}`, lines))), nil)
	for i := range lines {
		p.client.Produce(t.Context(), p.on(command("Allocate", fmt.Sprintf(`{"orderid":"o%d","sku":"CHAIR","qty":1}`, i))), nil)
	}
	p.client.Produce(t.Context(), p.on(command("ChangeBatchQuantity", `{"batchref":"b1","qty":0}`)), nil)
	require.NoError(t, p.client.Flush(t.Context()))
	m := p.start()
	ids := map[string]int{}
	for i, r := range p.await(1 + lines + 1 + 2*lines) {
		require.Equal(t, fmt.Sprintf("%019d", i+1), header(r, "ce_sequence"))
		require.Zero(t, ids[header(r, "ce_id")], "the id of event %d", i)
		ids[header(r, "ce_id")] = i
	}
	p.awaitAllCommitted()
	require.NoError(t, m.stop())
}

// on gives a record the pipeline's topic.
func (p *pipeline) on(r *kgo.Record) *kgo.Record {
	r.Topic = p.commands
	return r
}
