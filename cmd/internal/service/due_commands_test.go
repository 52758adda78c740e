package service

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
	"allocation/deploy/testbed/storetest"
	"allocation/store"
	"allocation/worker"
)

// Each command that is due is sent by the worker that has its partition, and by the next one where
// that ends.
func TestDueCommands_haveOneSender(t *testing.T) {
	of := counters.Service
	of.Due = &store.Due{Command: "Add", SQL: `select at, key, key, '{}' from due where at <= $1 and (at, key) > ($2, $3) order by at, key limit $4`}
	b := storetest.New(t, of, 0, counters.Tables, `
create table due (at timestamptz, key text);
grant select on due to allocation_worker;
insert into due select now() - interval '1 hour', 'key ' || n from generate_series(1, 1200) n;`)
	topic := testbed.Topic(t, "due", 3)
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(testbed.Kafka(t), ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer client.Close()
	now := time.Now()
	sender := func(partitions *[]int32) *dueCommands {
		has := func(name worker.TopicPartition) bool {
			return name.Topic == topic && slices.Contains(*partitions, name.Partition)
		}
		return &dueCommands{db: b.Store, client: client, logger: slog.Default(), has: has, topic: topic, kind: "counters.v1.Add", source: "/test"}
	}
	send := func(d *dueCommands, rounds int) {
		for n := range rounds {
			more, err := d.send(t.Context(), now)
			require.NoError(t, err)
			require.Equal(t, n+1 < rounds, more)
		}
	}
	sent := func() (ends [3]int64) {
		offsets, err := kadm.NewClient(client).ListEndOffsets(t.Context(), topic)
		require.NoError(t, err)
		offsets.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
		return ends
	}
	none, first, second := []int32{}, []int32{0, 1}, []int32{2}
	a, c := sender(&first), sender(&second)
	send(sender(&none), 1)
	require.Equal(t, [3]int64{}, sent())
	send(a, 3)
	some := sent()
	require.Positive(t, some[0])
	require.Positive(t, some[1])
	require.Zero(t, some[2])
	send(c, 3)
	all := sent()
	require.EqualValues(t, 1200, all[0]+all[1]+all[2], "each once")
	send(a, 1)
	send(c, 1)
	require.Equal(t, all, sent(), "and not again while they may wait")

	// The first sender ended, and the second has its partitions.
	second = []int32{0, 1, 2}
	send(c, 3)
	after := sent()
	require.Equal(t, [3]int64{2 * all[0], 2 * all[1], 2 * all[2]}, after, "what the first may have left")

	// They are where any client sends such a key.
	other, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(testbed.Kafka(t), ",")...))
	require.NoError(t, err)
	defer other.Close()
	for n := range 20 {
		r := &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "key %d", n)}
		want := a.partitionOf(r)
		require.NoError(t, other.ProduceSync(t.Context(), r).FirstErr())
		require.Equal(t, want, r.Partition)
	}
}
