package checker

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kafka reads topics, as a consumer of committed records: an aborted record is no command.
type kafka struct {
	run    Run
	client *kgo.Client
	admin  *kadm.Client
	topics []string
}

func connect(run Run) (*kafka, error) {
	k := &kafka{run: run, topics: append(slices.Sorted(maps.Keys(run.Commands)), run.Events, run.Letters)}
	client, err := kgo.NewClient(kgo.SeedBrokers(run.Brokers...), kgo.ConsumeTopics(k.topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	k.client, k.admin = client, kadm.NewClient(client)
	return k, nil
}

// describe reads the topics' ids, and how far each command partition goes and is reported.
func (k *kafka) describe(ctx context.Context, h *History) error {
	commands := slices.Sorted(maps.Keys(k.run.Commands))
	details, err := k.admin.ListTopics(ctx, commands...)
	if err != nil {
		return err
	}
	starts, err := k.admin.ListStartOffsets(ctx, commands...)
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
		if o, ok := starts.Lookup(end.Topic, end.Partition); ok && o.Offset > 0 {
			err = fmt.Errorf("%s, partition %d begins at %d: commands were deleted", end.Topic, end.Partition, o.Offset)
		}
		if o, ok := committed.Lookup(end.Topic, end.Partition); ok {
			p.Committed = o.At
		}
		h.Partitions = append(h.Partitions, p)
	})
	return errors.Join(err, starts.Error(), ends.Error())
}

// readAll reads every topic up to its end of now.
func (k *kafka) readAll(ctx context.Context, h *History) error {
	rest, err := k.unread(ctx)
	if err != nil {
		return err
	}
	for len(rest) > 0 {
		fetches := k.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			l := topicPartition{r.Topic, r.Partition}
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

// unread are the ends of the partitions that have records.
func (k *kafka) unread(ctx context.Context) (map[topicPartition]int64, error) {
	starts, err := k.admin.ListStartOffsets(ctx, k.topics...)
	if err != nil {
		return nil, err
	}
	ends, err := k.admin.ListCommittedOffsets(ctx, k.topics...)
	if err != nil {
		return nil, err
	}
	rest := map[topicPartition]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if start, _ := starts.Lookup(end.Topic, end.Partition); end.Offset > start.Offset {
			rest[topicPartition{end.Topic, end.Partition}] = end.Offset
		}
	})
	return rest, errors.Join(starts.Error(), ends.Error())
}

func (k *kafka) keep(h *History, r *kgo.Record) {
	record := Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value}
	for _, header := range r.Headers {
		record.Headers = append(record.Headers, Header{header.Key, header.Value})
	}
	packed := pack(&record)
	switch r.Topic {
	case k.run.Events:
		h.Events = append(h.Events, packed)
	case k.run.Letters:
		h.Letters = append(h.Letters, packed)
	default:
		h.Commands = append(h.Commands, packed)
	}
}
