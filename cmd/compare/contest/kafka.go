package contest

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Read hands out the commands' records, from an offset of each partition on, until the context
// ends.
func (s Settings) Read(ctx context.Context, offsets []int64, take func(*kgo.Record)) error {
	starts := map[int32]kgo.Offset{}
	for p, offset := range offsets {
		starts[int32(p)] = kgo.NewOffset().At(offset)
	}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(s.Seeds()...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.Commands: starts}),
		kgo.FetchMaxWait(250*time.Millisecond), kgo.FetchMaxBytes(8<<20))
	if err != nil {
		return err
	}
	defer consumer.Close()
	for ctx.Err() == nil {
		consumer.PollFetches(ctx).EachRecord(take)
	}
	return nil
}

// Producer sends events. It waits for all replicas, as is the library's default.
func (s Settings) Producer() (*kgo.Client, error) {
	return kgo.NewClient(kgo.SeedBrokers(s.Seeds()...), kgo.DefaultProduceTopic(s.Events), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.ProducerLinger(0), kgo.MaxBufferedRecords(200_000))
}

// Event is the event of a command that got a batch.
func Event(sku, id string, value []byte) *kgo.Record {
	return &kgo.Record{Key: []byte(sku), Value: value, Headers: []kgo.RecordHeader{
		{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_type", Value: []byte(AllocatedType)}, {Key: "ce_source", Value: []byte("/allocation")},
		{Key: "ce_id", Value: []byte(id)},
	}}
}
