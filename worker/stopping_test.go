package worker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/worker"
)

// Two workers are asked to stop at once. The one that takes longer gets the partitions of the
// other, and leaves them alone: who starts next has them.
func TestWorker_claimsNothingWhileItStops(t *testing.T) {
	const partitions = 4
	p := setup(t, partitions)
	first := p.start()
	p.sendToEach(partitions, "before")
	p.await(partitions)

	var holds atomic.Bool
	var once sync.Once
	applying, goesOn := make(chan struct{}), make(chan struct{})
	second := p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
		if holds.Load() {
			once.Do(func() { close(applying) })
			<-goesOn
		}
		return real.Apply(ctx, transaction)
	})
	release := sync.OnceFunc(func() { close(goesOn) })
	defer release()
	testbed.Eventually(t, func() bool {
		return first.gauge("partitions_assigned") == partitions/2 && second.gauge("partitions_assigned") == partitions/2
	})
	holds.Store(true)
	p.sendToEach(partitions, "in-flight")
	<-applying

	ended := make(chan error, 1)
	go func() { ended <- second.stop() }()
	testbed.Eventually(t, func() bool { return strings.Contains(p.log.String(), `msg="stopping: `) })
	claimed := p.claims()
	require.NoError(t, first.stop())
	const declined = "partitions that the group gives are not claimed"
	testbed.Eventually(t, func() bool { return strings.Contains(p.log.String(), declined) || p.claims() > claimed })
	release()
	require.NoError(t, <-ended)
	require.Equal(t, claimed, p.claims(), "what would it do with partitions of which it applies nothing?")

	p.start()
	p.await(2 * partitions)
	p.awaitAllCommitted()
}

// An event follows one of a partition whose worker died before it published it. The worker that has
// the second is asked to stop, and gets that partition meanwhile: it leaves both to the next owner,
// and does not wait for what nobody does.
func TestWorker_stopsThoughItsEventsFollowThoseOfNobody(t *testing.T) {
	const partitions = 2
	p := setup(t, partitions)
	before := p.start()
	p.sendToEach(partitions, "b")
	p.await(partitions)
	p.awaitAllCommitted()
	require.NoError(t, before.stop())
	p.execute(`update positions set published_row = 0`)

	has := make(chan struct{}, 1)
	stranger := p.kafka(kgo.ConsumerGroup(p.group), kgo.ConsumeTopics(p.commands), kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(100*time.Millisecond), kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) {
			if len(got[p.commands]) == partitions {
				close(has)
			}
		}))
	<-has
	stops := p.start()
	testbed.Eventually(t, func() bool { return stops.gauge("partitions_assigned") == 1 })
	own := p.number(`select partition from positions order by epoch desc limit 1`)
	p.send(int32(own), add(keyOf(int32(partitions-1-own)), "o1"))
	testbed.Eventually(t, func() bool { return p.number(`select next_offset from positions where partition = $1`, own) == 2 })

	ended := make(chan error, 1)
	go func() { ended <- stops.stop() }()
	testbed.Eventually(t, func() bool { return strings.Count(p.log.String(), `msg="stopping: `) == 2 })
	stranger.Close()
	require.NoError(t, <-ended)
	require.Equal(t, 1, p.number(`select count(*) from positions where published_row < next_row and partition = $1`, own), "nothing was published ahead of what it follows")

	p.start()
	testbed.Eventually(t, func() bool { return slices.Equal(added(p.poll()), []string{"o1"}) })
}

// poll is what has come of events and dead letters.
func (p *pipeline) poll() []*kgo.Record {
	ctx, cancel := context.WithTimeout(p.t.Context(), 100*time.Millisecond)
	defer cancel()
	p.consumer.PollFetches(ctx).EachRecord(func(r *kgo.Record) { p.got = append(p.got, r) })
	return p.got
}

// claims is how many partitions were claimed, by whomever.
func (p *pipeline) claims() int { return strings.Count(p.log.String(), "msg=claimed ") }

// sendToEach sends a command to each partition.
func (p *pipeline) sendToEach(partitions int32, name string) {
	p.t.Helper()
	for i := range partitions {
		p.send(i, create(keyOf(i), fmt.Sprint(name, i), 1))
	}
}
