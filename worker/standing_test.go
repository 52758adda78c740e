package worker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"allocation/deploy/testbed"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// breakClaims makes each claim fail, until it is called off.
func (p *pipeline) breakClaims() (mend func()) {
	p.execute(`alter function claim_positions rename to gone`)
	return func() { p.execute(`alter function gone rename to claim_positions`) }
}

func (m *member) reasons(t *testing.T) string { return strings.Join(m.NotReady(t.Context()), "\n") }
func (m *member) notes() string               { return strings.Join(m.Notes(), "\n") }

// A worker that has joined its group, and claims none of what it got, is not ready and says why.
func TestWorker_isNotReadyWhereItsFirstClaimsFail(t *testing.T) {
	p := setup(t, 2)
	m := p.start()
	p.sendNames(0, 0, 3)
	p.awaitCommitted(map[int32]int64{0: 3})
	require.NoError(t, m.stop())
	mend := p.breakClaims()
	m = p.start()
	p.sendNames(0, 3, 2)
	testbed.Eventually(p.t, func() bool { return strings.Contains(m.reasons(t), p.commands+", partitions 0 1: not claimed since ") })
	require.Contains(t, m.reasons(t), "claim_positions", "it says why")
	testbed.Eventually(p.t, func() bool {
		return m.gauge("partitions_not_fetched") == 2 && m.gauge("partitions_assigned") == 2
	})
	testbed.Eventually(p.t, func() bool { return m.lags()[fmt.Sprint(p.commands, " 0")] == 2 })

	mend()
	p.awaitCommitted(map[int32]int64{0: 5, 1: 0})
	p.awaitReady(m, time.Now().Add(soon))
	testbed.Eventually(p.t, func() bool { return m.gauge("partitions_not_fetched") == 0 })
	require.Equal(t, 2.0, m.gauge("partitions_assigned"))
	require.Empty(t, m.Notes())
	require.NoError(t, m.stop())
}

// lags are the series of the lag, by topic and partition.
func (m *member) lags() map[string]float64 {
	lags := map[string]float64{}
	families, _ := m.metrics.Gather()
	for _, f := range families {
		if f.GetName() == "consumer_lag" {
			for _, s := range f.GetMetric() {
				partition, topic := s.GetLabel()[0], s.GetLabel()[1] // sorted by name
				lags[topic.GetValue()+" "+partition.GetValue()] = s.GetGauge().GetValue()
			}
		}
	}
	return lags
}

// Where a worker's other partitions move, those that it cannot claim are noted.
func TestWorker_notesPartitionsWhoseFirstClaimsFail(t *testing.T) {
	p := setup(t, 1)
	m := p.start()
	p.sendNames(0, 0, 1)
	p.awaitCommitted(map[int32]int64{0: 1})
	mend := p.breakClaims()
	added, err := kadm.NewClient(p.client).UpdatePartitions(t.Context(), 2, p.commands)
	require.NoError(t, err)
	require.NoError(t, added.Error())
	testbed.Eventually(p.t, func() bool { return strings.Contains(m.notes(), p.commands+", partitions 1: not claimed since ") })
	require.Empty(t, m.NotReady(t.Context()), "the other can move")
	p.sendNames(0, 1, 1)
	p.awaitCommitted(map[int32]int64{0: 2})

	mend()
	p.awaitCommitted(map[int32]int64{0: 2, 1: 0})
	testbed.Eventually(p.t, func() bool { return len(m.Notes()) == 0 })
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
	p.awaitReady(m, time.Now().Add(soon))
	testbed.Eventually(p.t, func() bool { return len(m.Notes()) == 0 && m.gauge("partitions_not_fetched") == 0 })
	require.Equal(t, 2, strings.Count(p.log.String(), "nothing of a partition is applied, retrying"), "once each")
	require.Equal(t, 2, strings.Count(p.log.String(), "a partition is applied again"))
	require.NoError(t, m.stop())
}

// A partition whose rows of before cannot be read applies nothing, and says for what it waits.
func TestWorker_namesAPartitionThatWaitsForItsEventsOfBefore(t *testing.T) {
	p := setup(t, 2)
	p.stall = time.Second
	m := p.start()
	p.sendNames(0, 0, 2)
	p.sendNames(1, 0, 1)
	p.awaitCommitted(map[int32]int64{0: 2, 1: 1})
	require.NoError(t, m.stop())
	p.execute(`update positions set published_row = next_row - 1 where partition = 0`)
	someone := p.outsider()
	someone.locks(fmt.Sprintf(`lock table outbox_%s in access exclusive mode`, time.Now().UTC().Format("20060102")))
	m = p.start()
	testbed.Eventually(p.t, func() bool {
		return strings.Contains(m.notes(), p.commands+", partition 0: nothing is applied since ") && strings.Contains(m.notes(), "1 events of before its claim are to be published first")
	})
	testbed.Eventually(p.t, func() bool {
		return p.number(`select count(*) from fetch_troubles join positions using (source, token) where partition = 0 and why like '1 events of before its claim%'`) == 1
	})
	someone.releases()
	p.sendNames(0, 2, 1)
	p.awaitCommitted(map[int32]int64{0: 3, 1: 1})
	testbed.Eventually(p.t, func() bool { return len(m.Notes()) == 0 && p.number(`select count(*) from fetch_troubles`) == 0 })
	require.NoError(t, m.stop())
}

// Where a leader says neither where its log ends nor anything else, the lag is not known, and no
// old figure is shown.
func TestWorker_showsNoLagThatIsNotKnown(t *testing.T) {
	p := setup(t, 1)
	p.stall = time.Second
	var deaf deafness
	p.options = []kgo.Opt{kgo.Dialer(deaf.dial)}
	deaf.key = listOffsets
	m := p.start()
	p.sendNames(0, 0, 1)
	p.awaitCommitted(map[int32]int64{0: 1})
	require.Len(t, m.lags(), 1)
	deaf.on.Store(true)
	testbed.Eventually(p.t, func() bool { return len(m.lags()) == 0 })
	testbed.Eventually(p.t, func() bool { return strings.Contains(m.reasons(t), "its leader does not say where its log ends") })
	deaf.on.Store(false)
	testbed.Eventually(p.t, func() bool { return len(m.lags()) == 1 && len(m.NotReady(t.Context())) == 0 })
	require.NoError(t, m.stop())
}
