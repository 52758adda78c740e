package worker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Partitions are added under load, so that a key's commands come by an old and a new partition
// at once, to two workers.
func TestPromise9_partitionsAreAddedWhileWorkersRun(t *testing.T) {
	const (
		keys     = 4
		commands = 1500
	)
	p := setup(t, 2)
	first, second := p.start(), p.start()
	for i := range int32(keys) {
		p.send(i%2, create(keyOf(i), fmt.Sprint("b", i), 0))
	}
	p.awaitDistinct(keys)

	var producers sync.WaitGroup
	produce := func(client *kgo.Client, name string, partition func(i int) int32) {
		for i := range commands {
			r := add(keyOf(int32(i%keys)), fmt.Sprint(name, i))
			r.Topic, r.Partition = p.commands, partition(i)
			require.NoError(t, client.ProduceSync(context.Background(), r).FirstErr())
		}
	}
	producers.Go(func() { produce(p.client, "old", func(i int) int32 { return int32(i % 2) }) })
	added, err := kadm.NewClient(p.client).UpdatePartitions(t.Context(), 4, p.commands)
	require.NoError(t, err)
	require.NoError(t, added.Error())
	later := p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	producers.Go(func() { produce(later, "new", func(i int) int32 { return int32(2 + i%2) }) })
	producers.Wait()

	p.awaitAllCommitted()
	p.awaitPublished(p.commands)
	p.checkAdded(2 * commands)
	require.NoError(t, first.stop())
	require.NoError(t, second.stop())
}
