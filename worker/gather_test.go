package worker

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
	"allocation/worker/cloudevents"
)

// A transaction is filled up from as few partitions as it takes, in their turn.
func TestGathering_fillsFromFewPartitions(t *testing.T) {
	for name, c := range map[string]struct {
		waiting, want []int // by partition; of the first that are taken from
		most          int
		fresh         []int // partitions
		catchUp       time.Duration
	}{
		"one long partition is enough":     {waiting: []int{900, 900, 900}, most: 400, want: []int{400}},
		"a second one fills up":            {waiting: []int{300, 900, 900}, most: 400, want: []int{300, 100}},
		"everything that waits has room":   {waiting: []int{5, 6, 7}, most: 400, want: []int{5, 6, 7}},
		"one command, of whose turn it is": {waiting: []int{3, 900}, most: 1, want: []int{1}},
		"a part of each backlog":           {waiting: []int{30, 900, 900}, most: 400, catchUp: 1, want: []int{30, firstOfBacklog, firstOfBacklog}},
		"all of a rush":                    {waiting: []int{900, 900, 900}, most: 400, catchUp: 1, fresh: []int{1}, want: []int{firstOfBacklog, 400 - firstOfBacklog}},
	} {
		t.Run(name, func(t *testing.T) {
			now, partitions := time.Now(), waitingPartitions(c.waiting...)
			for _, n := range c.fresh {
				partitions[n].queue.records[0].Timestamp = now
			}
			g := gathering{work: &work{}, commands: c.most, bytes: batchBytes}
			g.fill(now, c.catchUp, partitions)
			got := make([]int, len(c.waiting))
			for i, p := range g.work.partitions {
				got[p.name.Partition] = g.work.taken[i]
			}
			require.Equal(t, c.want, trimmed(got))
			require.LessOrEqual(t, len(g.work.records), c.most)
		})
	}
}

// waitingPartitions have so many records each.
func waitingPartitions(waiting ...int) (partitions []*partition) {
	for n, records := range waiting {
		p := newPartition(Claim{}, &cloudevents.Types{}, time.Now())
		p.state, p.name.Partition = running, int32(n)
		partitions = append(partitions, p)
		for offset := range records {
			p.push([]*kgo.Record{{Offset: int64(offset)}})
		}
	}
	return partitions
}

// After a transaction a few commands wait as long as that took, and not longer than a moment; many
// do not.
func TestGather_lingersAfterATransactionUntilEnoughWait(t *testing.T) {
	w := &Worker{cfg: Config{MaxBatch: 4000}}
	a := newApplier(w, 0, nil)
	p := newPartition(Claim{}, &cloudevents.Types{}, time.Now())
	p.state = running
	a.partitions = []*partition{p}
	p.push([]*kgo.Record{{Offset: 0}})
	end := time.Now()
	for took, rest := range map[time.Duration]time.Duration{time.Millisecond: time.Millisecond, time.Second: maxLinger} {
		a.linger(end.Add(-took), end)
		work, wait := a.gather(end)
		require.Nil(t, work)
		require.Equal(t, rest, wait)
	}
	for offset := range int64(lingerBelow) {
		p.push([]*kgo.Record{{Offset: offset}})
	}
	require.Equal(t, lingerBelow, queued(a.partitions))
	require.True(t, a.lingers(end, []*partition{newPartition(Claim{}, &cloudevents.Types{}, time.Now())}))
	require.False(t, a.lingers(end, a.partitions))
	require.False(t, a.lingers(end.Add(maxLinger), nil))
}

// trimmed leaves out partitions at the end that nothing was taken from.
func trimmed(counts []int) []int {
	for len(counts) > 0 && counts[len(counts)-1] == 0 {
		counts = counts[:len(counts)-1]
	}
	return counts
}

// A service that refuses an event for its sequence is told what stands there.
func TestDecode_keepsWhatIsNoSequence(t *testing.T) {
	t.Parallel()
	types := &cloudevents.Types{Prefix: "stock.v1.", Takes: []string{"Moved"}}
	for text, is := range map[string]string{"": "missing, or no text of at most 255 bytes", "abc": `"abc"`, "-1": `"-1"`, strings.Repeat("9", 23): `"99999999999999999999999"`} {
		r := &kgo.Record{Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("stock.v1.Moved")}, {Key: "ce_sequence", Value: []byte(text)}}}
		c := decode(r, types, &outbox.Cause{})
		require.Zero(t, c.Sequence)
		require.Equal(t, "ce_sequence is "+is+"; it must be an integer from 1 to 9223372036854775807", c.SequenceProblem())
	}
}
