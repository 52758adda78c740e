package worker_test

import (
	"strings"
	"testing"
	"time"

	"allocation/deploy/testbed"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
)

// breakClaims makes each claim fail, until it is called off.
func (p *pipeline) breakClaims() (mend func()) {
	p.execute(`alter function claim_positions rename to gone`)
	return func() { p.execute(`alter function gone rename to claim_positions`) }
}

func (m *member) reasons(t *testing.T) string { return strings.Join(m.NotReady(t.Context()), "\n") }
func (m *member) notes() string               { return strings.Join(m.Notes(), "\n") }

// Partitions that are claimed in vain from the start are noted where the worker's others move, and
// the reason not to be ready where there are no others.
func TestWorker_isNotReadyWhereItsFirstClaimsFail(t *testing.T) {
	p := setup(t, 1)
	p.attentive, p.stall = true, time.Second
	m := p.start()
	p.sendNames(0, 0, 1)
	p.awaitCommitted(map[int32]int64{0: 1})
	mend := p.breakClaims()
	added, err := kadm.NewClient(p.client).UpdatePartitions(t.Context(), 2, p.commands)
	require.NoError(t, err)
	require.NoError(t, added.Error())
	testbed.Eventually(p.t, func() bool { return strings.Contains(m.notes(), p.commands+", partitions 1: not claimed since ") })
	testbed.Eventually(p.t, func() bool { return len(m.NotReady(t.Context())) == 0 }, "the other can move")
	p.sendNames(0, 1, 1)
	p.awaitCommitted(map[int32]int64{0: 2})
	require.NoError(t, m.stop())

	m = p.start()
	p.sendNames(0, 2, 2)
	testbed.Eventually(p.t, func() bool { return strings.Contains(m.reasons(t), p.commands+", partitions 0 1: not claimed since ") })
	require.Contains(t, m.reasons(t), "claim_positions", "it says why")
	testbed.Eventually(p.t, func() bool {
		return m.gauge("partitions_not_fetched") == 2 && m.gauge("partitions_assigned") == 2 && m.values("consumer_lag")["0 "+p.commands] == 2
	})

	mend()
	p.awaitCommitted(map[int32]int64{0: 4, 1: 0})
	testbed.Eventually(p.t, func() bool { return m.gauge("partitions_not_fetched") == 0 && len(m.NotReady(t.Context())) == 0 })
	require.Equal(t, 2.0, m.gauge("partitions_assigned"))
	require.Empty(t, m.Notes())
	require.NoError(t, m.stop())
}

// A partition whose claim was lost, and that is claimed again in vain, stands still: it is named in
// log, metric, notes and in the database; among the reasons where none of the worker's partitions
// can move.
func TestWorker_namesAPartitionThatIsClaimedAgainInVain(t *testing.T) {
	p := setup(t, 2)
	p.stall = time.Second
	m := p.start()
	p.sendNames(0, 0, 1)
	p.sendNames(1, 0, 1)
	p.awaitCommitted(map[int32]int64{0: 1, 1: 1})
	mend := p.breakClaims()
	p.execute(`update positions set token = gen_random_uuid() where partition = 0`)
	testbed.Eventually(p.t, func() bool {
		return strings.Contains(m.notes(), p.commands+", partition 0: nothing is applied since ") && strings.Contains(m.notes(), "it is claimed again and again, in vain: ")
	})
	require.Empty(t, m.NotReady(t.Context()), "the other can move")
	require.Equal(t, 1.0, m.gauge("partitions_not_fetched"))
	p.sendNames(1, 1, 1)
	p.awaitCommitted(map[int32]int64{1: 2})

	p.execute(`update positions set token = gen_random_uuid() where partition = 1`)
	testbed.Eventually(p.t, func() bool { return strings.Count(m.reasons(t), "it is claimed again and again, in vain: ") == 2 })
	mend()
	p.sendNames(0, 1, 1)
	p.awaitCommitted(map[int32]int64{0: 2, 1: 2})
	testbed.Eventually(p.t, func() bool {
		return len(m.NotReady(t.Context())) == 0 && len(m.Notes()) == 0 && m.gauge("partitions_not_fetched") == 0
	})
	require.Equal(t, 2, strings.Count(p.log.String(), "nothing of a partition is applied, retrying"), "once each")
	require.Equal(t, 2, strings.Count(p.log.String(), "a partition is applied again"))
	require.NoError(t, m.stop())
}
