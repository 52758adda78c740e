package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/worker"
	"allocation/worker/cloudevents"
)

// A producer that sends bare JSON and a consumer that reads bare JSON work by configuration alone:
// a topic that is mapped to a command, and a route for an event.
func TestWorker_bareMessages(t *testing.T) {
	p := setup(t, 3)
	bare, additions := testbed.Topic(t, "bare", 3), testbed.Topic(t, "additions", 3)
	p.topics = []worker.Topic{{Name: bare, Types: cloudevents.Types{Type: "Add"}}}
	p.routes = map[string]string{"Added": additions}
	m := p.start()
	p.send(0, create("a", "first", 50), add("a", "o1"), create("a", "second", 50))
	p.await(3)
	p.sendTo(bare, 2, &kgo.Record{Value: []byte(`{"key":"a","n":7}`)})
	got := p.await(4)
	require.Equal(t, `{"key":"a","value":108}`, string(got[3].Value))

	routed := p.read(additions, 2)
	for i, event := range []int{1, 3} { // the same as in the events topic
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
