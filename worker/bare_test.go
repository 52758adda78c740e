package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/worker"
)

// A producer that sends bare JSON and a consumer that reads bare JSON work by configuration alone:
// a topic that is mapped to a command, and a route for an event.
func TestWorker_bareMessages(t *testing.T) {
	p := setup(t, 3)
	changes, allocations := testbed.Topic(t, "change_batch_quantity", 3), testbed.Topic(t, "line_allocated", 3)
	p.topics = []worker.Topic{{Name: changes, Type: "ChangeBatchQuantity"}}
	p.routes = map[string]string{"Allocated": allocations}
	m := p.start()
	p.send(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`)
	p.send(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`)
	p.send(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`)
	p.send(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20}`)
	p.await(4)

	bare := &kgo.Record{Topic: changes, Partition: 2, Value: []byte(`{"batchref":"b1","qty":25}`)}
	require.NoError(t, p.client.ProduceSync(t.Context(), bare).FirstErr())
	got := p.await(7)
	require.Equal(t, "allocation.v1.BatchQuantityChanged", header(got[4], "ce_type"))
	require.Equal(t, "allocation.v1.Deallocated", header(got[5], "ce_type"))

	routed := p.read(allocations, 3)
	require.Equal(t, `{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2"}`, string(routed[2].Value))
	for i, event := range []int{2, 3, 6} { // the same as in the events topic
		require.Equal(t, got[event].Value, routed[i].Value)
		require.Equal(t, got[event].Key, routed[i].Key)
		require.Equal(t, got[event].Headers, routed[i].Headers)
	}
	p.awaitAllCommitted()
	require.NoError(t, m.stop())
}

// read reads a topic from its start until so many records have come.
func (p *pipeline) read(topic string, n int) (got []*kgo.Record) {
	p.t.Helper()
	reader := p.kafka(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for len(got) < n {
		reader.PollFetches(p.t.Context()).EachRecord(func(r *kgo.Record) { got = append(got, r) })
		require.NoError(p.t, p.t.Context().Err())
	}
	return got
}
