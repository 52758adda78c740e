package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/config"
	"allocation/store"
)

// OpenTopic makes a client for ReadTopic, of a topic that the database's workers write. What the
// client holds in memory is bounded, however large the topic is.
func (p *Program) OpenTopic(ctx context.Context, db *store.Store, kafka config.Kafka, topic string, more ...kgo.Opt) (*kgo.Client, error) {
	client, err := p.ConnectKafka(ctx, kafka, append([]kgo.Opt{
		kgo.FetchMaxBytes(4 << 20), kgo.FetchMaxPartitionBytes(1 << 20), kgo.MaxConcurrentFetches(2),
		kgo.KeepControlRecords(), // a topic may end with one
	}, more...)...)
	if err != nil {
		return nil, err
	}
	if err = SameCluster(ctx, db, client, kafka); err == nil {
		err = RequireTopic(ctx, client, topic)
	}
	if err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// ReadTopic reads a topic from its start, or from the first records of a time on, to where it ends
// now. It calls take with each record, in order within a partition. OpenTopic makes its client.
func ReadTopic(ctx context.Context, client *kgo.Client, topic string, since time.Time, take func(*kgo.Record) error) error {
	bounds, err := boundsSince(ctx, kadm.NewClient(client), topic, since)
	if err != nil {
		return err
	}
	return readBounds(ctx, client, topic, bounds, take)
}

// ReadTopicTo is ReadTopic, and reads each partition below its end at most.
func ReadTopicTo(ctx context.Context, client *kgo.Client, topic string, since time.Time, ends map[int32]int64, take func(*kgo.Record) error) error {
	bounds, err := boundsSince(ctx, kadm.NewClient(client), topic, since)
	if err != nil {
		return err
	}
	for partition, b := range bounds {
		bounds[partition] = Bounds{b.Start, min(b.End, ends[partition])}
	}
	return readBounds(ctx, client, topic, bounds, take)
}

func readBounds(ctx context.Context, client *kgo.Client, topic string, bounds map[int32]Bounds, take func(*kgo.Record) error) error {
	left, from := map[int32]int64{}, map[int32]kgo.Offset{}
	for partition, b := range bounds {
		if b.Start < b.End {
			left[partition], from[partition] = b.End, kgo.NewOffset().At(b.Start)
		}
	}
	if len(left) == 0 {
		return nil
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

// boundsSince are TopicBounds, without what is older than a time.
func boundsSince(ctx context.Context, admin *kadm.Client, topic string, since time.Time) (map[int32]Bounds, error) {
	bounds, err := TopicBounds(ctx, admin, topic)
	if err != nil || since.IsZero() {
		return bounds, err
	}
	starts, err := admin.ListOffsetsAfterMilli(ctx, since.UnixMilli(), topic)
	if err == nil {
		err = starts.Error()
	}
	for partition, b := range bounds {
		if start, ok := starts.Lookup(topic, partition); ok {
			bounds[partition] = Bounds{max(b.Start, start.Offset), b.End}
		}
	}
	return bounds, err
}

// Bounds are where a partition starts and ends.
type Bounds struct{ Start, End int64 }

// TopicBounds are those of a topic's partitions.
func TopicBounds(ctx context.Context, admin *kadm.Client, topic string) (map[int32]Bounds, error) {
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	var ends kadm.ListedOffsets
	if err == nil {
		ends, err = admin.ListEndOffsets(ctx, topic)
	}
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("list offsets of %s: %w", topic, err)
	}
	bounds := map[int32]Bounds{}
	ends.Each(func(end kadm.ListedOffset) {
		if start, ok := starts.Lookup(topic, end.Partition); ok {
			bounds[end.Partition] = Bounds{start.Offset, end.Offset}
		}
	})
	return bounds, nil
}
