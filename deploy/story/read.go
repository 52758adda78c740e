package story

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Run is where everything is.
type Run struct {
	Brokers  []string
	Database string // its URL; its user may read all tables
	Topics   Topics
	CartTime time.Duration // after it, what is in a cart expires
}

// Check reads everything and finds what is wrong. Nothing may change meanwhile.
func Check(ctx context.Context, run Run) ([]Violation, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(run.Brokers...), kgo.ConsumeTopics(run.Topics.all()...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ids, unread, err := describe(ctx, kadm.NewClient(client), run.Topics.all())
	if err != nil {
		return nil, err
	}
	c := New(run.Topics, ids, run.CartTime)
	for len(unread) > 0 {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			c.Take(r)
			if p := (partition{r.Topic, r.Partition}); r.Offset+1 >= unread[p] {
				delete(unread, p)
			}
		})
	}
	tables, err := readTables(ctx, run.Database)
	if err != nil {
		return nil, err
	}
	return c.Check(tables), nil
}

// describe reads the topics' ids, and the ends of all partitions that have records.
func describe(ctx context.Context, admin *kadm.Client, topics []string) (ids map[string]string, ends map[partition]int64, err error) {
	details, err := admin.ListTopics(ctx, topics...)
	if err != nil {
		return nil, nil, err
	}
	listed, err := admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, nil, err
	}
	ids, ends = map[string]string{}, map[partition]int64{}
	for _, topic := range topics {
		id := details[topic].ID
		ids[topic] = base64.RawURLEncoding.EncodeToString(id[:])
	}
	listed.Each(func(end kadm.ListedOffset) {
		if end.Offset > 0 {
			ends[partition{end.Topic, end.Partition}] = end.Offset
		}
	})
	return ids, ends, listed.Error()
}
