package cli

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadTopicOptions bound what the client holds in memory, however large the topic is.
func ReadTopicOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.FetchMaxBytes(4 << 20), kgo.FetchMaxPartitionBytes(1 << 20), kgo.MaxConcurrentFetches(2),
		kgo.KeepControlRecords(), // a topic may end with one
	}
}

// ReadTopic reads a topic from its start to where it ends now, and calls take with each record, in
// order within a partition. ReadTopicOptions are for its client.
func ReadTopic(ctx context.Context, client *kgo.Client, topic string, take func(*kgo.Record) error) error {
	left, from, err := bounds(ctx, client, topic)
	if err != nil || len(left) == 0 {
		return err
	}
	partitions := map[string][]int32{topic: nil}
	for partition := range left {
		partitions[topic] = append(partitions[topic], partition)
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	defer client.RemoveConsumePartitions(partitions)
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("read %s: %w", topic, err)
		}
		for _, e := range fetches.Errors() {
			return fmt.Errorf("read %s, partition %d: %w", e.Topic, e.Partition, e.Err)
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			r := iter.Next()
			end, waits := left[r.Partition]
			if !waits {
				continue // it was read to its end
			}
			if r.Offset+1 >= end {
				delete(left, r.Partition)
			}
			if r.Offset >= end || r.Attrs.IsControl() {
				continue
			}
			if err := take(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// bounds are where the partitions that hold anything end, and where they start.
func bounds(ctx context.Context, client *kgo.Client, topic string) (ends map[int32]int64, from map[int32]kgo.Offset, err error) {
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	var listed kadm.ListedOffsets
	if err == nil {
		listed, err = admin.ListEndOffsets(ctx, topic)
	}
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list offsets of %s: %w", topic, err)
	}
	ends, from = map[int32]int64{}, map[int32]kgo.Offset{}
	listed.Each(func(end kadm.ListedOffset) {
		if start, ok := starts.Lookup(topic, end.Partition); ok && start.Offset < end.Offset {
			ends[end.Partition], from[end.Partition] = end.Offset, kgo.NewOffset().At(start.Offset)
		}
	})
	return ends, from, nil
}
