package service_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/sender"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
	"allocation/deploy/testbed/storetest"
	"allocation/store"
	"allocation/worker"
)

// dues are 1200 commands that are due, and a topic of three partitions.
type dues struct {
	t     *testing.T
	bench *storetest.Bench
	to    *sender.Sender
}

func newDues(t *testing.T, topic string, patience time.Duration, brokers string) *dues {
	t.Helper()
	of := counters.Service
	of.Due = &store.Due{Command: "Add", SQL: `select at, key, key, '{}' from due where at <= $1 and (at, key) > ($2, $3) order by at, key limit $4`}
	d := &dues{t: t, bench: storetest.New(t, of, 0, counters.Tables, `
create table due (at timestamptz, key text);
grant select, delete on due to allocation_worker;
insert into due select now() - interval '1 hour', 'key ' || n from generate_series(1, 1200) n;`)}
	var err error
	d.to, err = sender.New(topic, patience, kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.MetadataMinAge(100*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(d.to.Close)
	return d
}

// of is a worker's part that has some of the partitions.
func (d *dues) of(partitions *[]int32) *service.DueCommands {
	return service.NewDueCommands(d.bench.Store, d.to, "counters.v1.Add", func(name worker.TopicPartition) bool {
		return name.Topic == d.to.Topic() && slices.Contains(*partitions, name.Partition)
	})
}

// send sends all that is due at a time, and expects as many rounds.
func (d *dues) send(of *service.DueCommands, now time.Time, rounds int) {
	d.t.Helper()
	for n := range rounds {
		more, err := of.Send(d.t.Context(), now)
		require.NoError(d.t, err)
		require.Equal(d.t, n+1 < rounds, more)
	}
}

// sent counts the records of each partition: -1 where it has no leader.
func (d *dues) sent() (ends [3]int64) {
	d.t.Helper()
	offsets, _ := kadm.NewClient(d.to.Client()).ListEndOffsets(d.t.Context(), d.to.Topic()) // each partition has its error
	ends = [3]int64{-1, -1, -1}
	offsets.Each(func(o kadm.ListedOffset) {
		if o.Err == nil {
			ends[o.Partition] = o.Offset
		}
	})
	return ends
}

// Each command that is due is sent by the worker that has its partition, and by the next one where
// that ends.
func TestDueCommands_haveOneSender(t *testing.T) {
	d := newDues(t, testbed.Topic(t, "due", 3), 10*time.Second, testbed.Kafka(t))
	now := time.Now()
	none, first, second := []int32{}, []int32{0, 1}, []int32{2}
	a, c := d.of(&first), d.of(&second)
	d.send(d.of(&none), now, 1)
	require.Equal(t, [3]int64{}, d.sent())
	d.send(a, now, 3)
	some := d.sent()
	require.Positive(t, some[0])
	require.Positive(t, some[1])
	require.Zero(t, some[2])
	d.send(c, now, 3)
	all := d.sent()
	require.EqualValues(t, 1200, all[0]+all[1]+all[2], "each once")
	d.send(a, now, 1)
	d.send(c, now, 1)
	require.Equal(t, all, d.sent(), "and not again while they may wait")

	// The first sender ended, and the second has its partitions.
	second = []int32{0, 1, 2}
	d.send(c, now, 3)
	require.Equal(t, [3]int64{2 * all[0], 2 * all[1], all[2]}, d.sent(), "what the first may have left")
}

// What is still due is sent again, each time after twice as long. A key that was held comes late.
// It waits for no other.
func TestDueCommands_areSentAgainEverMoreSeldom(t *testing.T) {
	d := newDues(t, testbed.Topic(t, "due", 3), 10*time.Second, testbed.Kafka(t))
	partitions, now := []int32{0, 1, 2}, time.Now()
	a := d.of(&partitions)
	after := func(minutes time.Duration) int64 {
		now = now.Add(minutes * service.DueAgain)
		d.send(a, now, 3)
		sent := d.sent()
		return sent[0] + sent[1] + sent[2]
	}
	require.EqualValues(t, 1200, after(0))
	d.bench.Exec(`update due set at = now() - interval '1 minute' where key = 'key 7'`)
	d.send(a, now, 1) // it is due for another time, as a cart for its next line
	require.EqualValues(t, 2401, after(1))
	require.EqualValues(t, 2401, after(1))
	require.EqualValues(t, 3601, after(1))
	require.EqualValues(t, 3601, after(3))
	require.EqualValues(t, 4801, after(1))
	d.bench.Exec(`insert into due select now() - interval '2 hours', 'late'`)
	require.EqualValues(t, 4802, after(1))
	d.bench.Exec(`delete from due where key <> 'late'`)
	d.send(a, now.Add(service.DueRound), 1)
	d.bench.Exec(`insert into due select now() - interval '1 hour', 'key ' || n from generate_series(1, 1200) n`)
	require.EqualValues(t, 6003, after(2), "they were due no more, and are anew")
}

// Where partitions are added, a key goes where other clients send it.
func TestDueCommands_followThePartitionsOfTheTopic(t *testing.T) {
	d := newDues(t, testbed.Topic(t, "due", 1), 10*time.Second, testbed.Kafka(t))
	partitions, now := []int32{0, 1, 2}, time.Now()
	a := d.of(&partitions)
	d.send(a, now, 3)
	admin := testbed.Admin(t, testbed.Kafka(t))
	_, err := admin.UpdatePartitions(t.Context(), 3, d.to.Topic())
	require.NoError(t, err)
	testbed.Eventually(t, func() bool {
		topics, err := admin.ListTopics(t.Context(), d.to.Topic())
		return err == nil && len(topics[d.to.Topic()].Partitions) == 3
	})
	d.to.Client().ForceMetadataRefresh()
	testbed.Eventually(t, func() bool {
		now = now.Add(time.Hour)
		d.send(a, now, 3)
		sent := d.sent()
		return sent[1] > 0 && sent[2] > 0
	})
}

// sendsWhatIsDueElsewhere: one partition has no leader. What is due in the others is sent, and what
// is due there when its broker is back.
func sendsWhatIsDueElsewhere(s *programtest.Service, cluster cluster) {
	t := s.T
	topic := s.Names.Commands
	cluster.makeTopic(t, topic, []int32{1}, []int32{2}, []int32{3})
	d := newDues(t, topic, 5*time.Second, s.Names.Brokers)
	partitions, now := []int32{0, 1, 2}, time.Now()
	a := d.of(&partitions)
	cluster.Kill(2)
	admin := testbed.Admin(t, s.Names.Brokers)
	testbed.Eventually(t, func() bool {
		topics, err := admin.ListTopics(t.Context(), topic)
		return err == nil && topics[topic].Partitions[2].Leader < 0
	})
	rounds, said := 0, ""
	for more := true; more; rounds++ {
		var err error
		if more, err = a.Send(t.Context(), now); err != nil {
			said += err.Error() + "\n"
		}
	}
	require.Equal(t, 3, rounds, said)
	require.Regexp(t, `^partition 2: .*\n$`, said, "it was tried once")
	sent := d.sent()
	require.Positive(t, sent[0])
	require.Positive(t, sent[1])
	require.EqualValues(t, -1, sent[2])

	require.NoError(t, cluster.Start(t.Context(), 2))
	testbed.Eventually(t, func() bool { return d.sent()[2] == 0 })
	d.send(a, now.Add(service.DueRound-time.Second), 1)
	require.Equal(t, [3]int64{sent[0], sent[1], 0}, d.sent(), "it rests")
	d.send(a, now.Add(service.DueRound), 3)
	require.Equal(t, [3]int64{2 * sent[0], 2 * sent[1], 1200 - sent[0] - sent[1]}, d.sent(), "what is still due is sent again")
}
