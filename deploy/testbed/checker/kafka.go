package checker

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kafka reads topics, as a consumer of committed records.
type kafka struct {
	run    Run
	client *kgo.Client
	admin  *kadm.Client
	topics []string
}

func connect(run Run) (*kafka, error) {
	topics := append(slices.Sorted(maps.Keys(run.Commands)), run.Events, run.Letters)
	client, err := kgo.NewClient(kgo.SeedBrokers(run.Brokers...), kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	return &kafka{run, client, kadm.NewClient(client), topics}, nil
}

// describe reads the topics' ids, and how far each command partition goes and is reported.
func (k *kafka) describe(ctx context.Context, h *History) error {
	commands := slices.Sorted(maps.Keys(k.run.Commands))
	details, err := k.admin.ListTopics(ctx, commands...)
	if err != nil {
		return err
	}
	ends, err := k.admin.ListCommittedOffsets(ctx, commands...)
	if err != nil {
		return err
	}
	committed, err := k.admin.FetchOffsets(ctx, k.run.Group)
	if err != nil {
		return err
	}
	h.TopicIDs = map[string]string{}
	for _, topic := range commands {
		id := details[topic].ID
		h.TopicIDs[topic] = base64.RawURLEncoding.EncodeToString(id[:])
	}
	ends.Each(func(end kadm.ListedOffset) {
		p := Partition{Topic: end.Topic, Partition: end.Partition, End: end.Offset, Committed: -1}
		if o, ok := committed.Lookup(end.Topic, end.Partition); ok {
			p.Committed = o.At
		}
		h.Partitions = append(h.Partitions, p)
	})
	return ends.Error()
}

// readAll reads every topic up to its end of now.
func (k *kafka) readAll(ctx context.Context, h *History) error {
	ends, err := k.admin.ListCommittedOffsets(ctx, k.topics...)
	if err != nil {
		return err
	}
	rest := map[lane]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if end.Offset > 0 {
			rest[lane{end.Topic, end.Partition}] = end.Offset
		}
	})
	for len(rest) > 0 {
		fetches := k.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			l := lane{r.Topic, r.Partition}
			if end, ok := rest[l]; ok && r.Offset+1 >= end {
				delete(rest, l)
			}
			if !r.Attrs.IsControl() {
				k.keep(h, r)
			}
		})
	}
	return nil
}

func (k *kafka) keep(h *History, r *kgo.Record) {
	record := Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}
	for _, header := range r.Headers {
		record.Headers = append(record.Headers, Header{header.Key, header.Value})
	}
	switch r.Topic {
	case k.run.Events:
		h.Events = append(h.Events, record)
	case k.run.Letters:
		h.Letters = append(h.Letters, record)
	default:
		h.Commands = append(h.Commands, record)
	}
}
