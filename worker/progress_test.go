package worker

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Whatever keeps a partition back that has something to do, it is seen when there is no more
// patience, and not before; a partition that moves, or has nothing to do, is left alone.
func TestProgress_seesAPartitionThatStands(t *testing.T) {
	t.Parallel()
	const patience = 30 * time.Second
	records := queue{records: []*kgo.Record{{Offset: 5}}}
	for name, c := range map[string]struct {
		partition partition
		moves     func(p *partition, second int) (published int64)
		says      string
		after     time.Duration
	}{
		"a seek that nobody makes":                    {partition: partition{state: seeking}, says: "it is claimed, and its fetches do not begin", after: patience},
		"a claim that nobody makes":                   {partition: partition{state: reclaiming}, says: "it is to be claimed again, and is not", after: patience},
		"claims in vain":                              {partition: partition{state: reclaiming, reclaim: reclaim{failed: errors.New("gone")}}, says: "it is claimed again and again, in vain: gone", after: patience},
		"a drain that stands":                         {partition: partition{state: draining, published: published{nextRow: 7}}, says: "7 events of before its claim are to be published first, and none of them is", after: patience},
		"a drain that is long":                        {partition: partition{state: draining, published: published{nextRow: 700}}, moves: func(_ *partition, second int) int64 { return int64(second) }},
		"records that their applier leaves out":       {partition: partition{state: running, next: 5, queue: records}, says: "records wait from offset 5 on, and none of them is applied", after: patience},
		"records that are applied":                    {partition: partition{state: running, queue: records}, moves: func(p *partition, second int) int64 { p.next = int64(second); return 0 }},
		"nothing to do":                               {partition: partition{state: running, next: 5, log: logEnd{stable: 5}}},
		"a lock, of which something else tells":       {partition: partition{state: running, queue: records, lock: &locked{}}},
		"a quarantine, of which something else tells": {partition: partition{state: quarantined, log: logEnd{stable: 5}}},
		"claims that are lost again and again": {
			partition: partition{state: running, next: 5, log: logEnd{stable: 9}},
			moves: func(p *partition, second int) int64 {
				p.state = []partitionState{running, reclaiming, seeking}[second%3]
				p.fetch = fetching{measuredAt: time.Now()}
				return 0
			},
			says: "in vain|is not|do not begin|records wait", after: patience,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			p := &c.partition
			p.applier = &applier{movedAt: began.Add(time.Hour), partitions: []*partition{p}}
			seen := map[bool]string{}
			for second := range 120 {
				now := began.Add(time.Duration(second) * time.Second)
				published := int64(0)
				if c.moves != nil {
					published = c.moves(p, second)
				}
				p.look(published, now)
				if says := p.whyNothingIsApplied(now, patience); says != "" {
					seen[now.Sub(began) > c.after] = says
				}
			}
			require.NotContains(t, seen, false, "too early")
			require.Equal(t, c.says != "", seen[true] != "", seen[true])
			require.Regexp(t, "^(.*("+c.says+"))$", seen[true])
		})
	}
}

// Events that wait for long are noted, where those of other partitions are published: something
// else says when none is.
func TestProgress_seesEventsThatWait(t *testing.T) {
	t.Parallel()
	const patience = 30 * time.Second
	began := time.Now()
	p := &partition{state: running, published: published{nextRow: 7}}
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	for second := range 60 {
		p.look(2, at(second))
		require.Empty(t, p.whyNothingIsPublished(at(second), patience))
	}
	p.look(2, at(61))
	require.Equal(t, "5 events wait to be published since "+began.UTC().Format(time.RFC3339)+", and none of them is", p.whyNothingIsPublished(at(61), patience))
	p.look(3, at(62))
	require.Empty(t, p.whyNothingIsPublished(at(62), patience), "one is")
	p.look(7, at(63))
	p.look(7, at(200))
	require.Empty(t, p.whyNothingIsPublished(at(200), patience), "all are")
}

// Where nobody says for long where a log ends, its lag is not known, and no old figure is shown.
func TestWorker_showsNoLagThatIsNotKnown(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	w := &Worker{cfg: Config{StallTimeout: time.Second}, metrics: NewMetrics(registry)}
	p := partitionOf(0)
	p.fetch.measuredAt, p.published.offset, p.log.end = time.Now(), 2, 7
	lags := func() (n int) {
		w.setLag(p)
		families, err := registry.Gather()
		require.NoError(t, err)
		for _, f := range families {
			if f.GetName() == "consumer_lag" {
				n = len(f.GetMetric())
			}
		}
		return n
	}
	require.Equal(t, 1, lags())
	require.Empty(t, p.whyNothingComes(time.Now(), time.Second))
	p.fetch.measuredAt = time.Now().Add(-2 * measureEvery)
	require.Zero(t, lags())
	require.Equal(t, "its leader does not say where its log ends", p.whyNothingComes(time.Now(), time.Second))
	p.fetch.measuredAt = time.Now()
	require.Equal(t, 1, lags())
	p.silenced(errors.New("no leader"), time.Now())
	require.Zero(t, lags())
}
