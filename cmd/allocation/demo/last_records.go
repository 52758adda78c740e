package demo

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lastOf is how many of the last records of a partition are sent again.
const lastOf = 3

// lastRecords are the last records of each partition of a topic.
func lastRecords(ctx context.Context, client *kgo.Client, brokers, topic string) (records []*kgo.Record, err error) {
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	from, want := map[int32]kgo.Offset{}, int64(0)
	ends.Each(func(o kadm.ListedOffset) {
		if n := min(o.Offset, lastOf); n > 0 {
			from[o.Partition] = kgo.NewOffset().At(o.Offset - n)
			want += n
		}
	})
	if want == 0 {
		return nil, nil
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	for int64(len(records)) < want {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, err
		}
		records = append(records, fetches.Records()...)
	}
	return records, nil
}
