package worker_test

import (
	"testing"

	"allocation/deploy/testbed"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
)

// What the group is told is applied and published: a topic that takes no events keeps it back,
// however much is applied.
func TestWorker_reportsOnlyWhatIsPublished(t *testing.T) {
	p := setup(t, 1)
	p.events += ".late"
	m := p.start()
	p.awaitCommitted(map[int32]int64{0: 0})
	p.createEach(1)
	p.addToEach(1, 3)
	p.awaitApplied(4)
	p.awaitCommitted(map[int32]int64{0: 0}) // nothing is published yet

	testbed.Eventually(t, func() bool { return len(m.NotReady(t.Context())) > 0 }, "a topic is missing")
	_, err := kadm.NewClient(p.client).CreateTopic(t.Context(), 1, 1, nil, p.events)
	require.NoError(t, err)
	p.consumer.AddConsumeTopics(p.events)
	p.awaitAllCommitted()
	p.checkAdded(3)
	testbed.Eventually(t, func() bool { return len(m.NotReady(t.Context())) == 0 })
	require.NoError(t, m.stop())
}
