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

// describe reads the topics' ids, how far each command partition goes and is reported, and the ends
// of all partitions that have records.
func (k *kafka) describe(ctx context.Context, h *History) (unread map[topicPartition]int64, err error) {
	details, err := k.admin.ListTopics(ctx, k.topics...)
	if err != nil {
		return nil, err
	}
	starts, err := k.admin.ListStartOffsets(ctx, k.topics...)
	if err != nil {
		return nil, err
	}
	ends, err := k.admin.ListCommittedOffsets(ctx, k.topics...)
	if err != nil {
		return nil, err
	}
	committed, err := k.admin.FetchOffsets(ctx, k.run.Group)
	if err != nil {
		return nil, err
	}
	h.TopicIDs = map[string]string{}
	for topic := range k.run.Commands {
		id := details[topic].ID
		h.TopicIDs[topic] = base64.RawURLEncoding.EncodeToString(id[:])
	}
	unread = map[topicPartition]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(end.Topic, end.Partition)
		if end.Offset > start.Offset {
			unread[topicPartition{end.Topic, end.Partition}] = end.Offset
		}
		if _, ofCommands := k.run.Commands[end.Topic]; !ofCommands {
			return
		}
		if start.Offset > 0 {
			err = fmt.Errorf("%s, partition %d begins at %d: commands were deleted", end.Topic, end.Partition, start.Offset)
		}
		p := Partition{Topic: end.Topic, Partition: end.Partition, End: end.Offset, Committed: -1}
		if o, ok := committed.Lookup(end.Topic, end.Partition); ok {
			p.Committed = o.At
		}
		h.Partitions = append(h.Partitions, p)
	})
	return unread, errors.Join(err, starts.Error(), ends.Error())
}

// read reads the partitions up to their ends.
func (k *kafka) read(ctx context.Context, h *History, unread map[topicPartition]int64) error {
	for len(unread) > 0 {
		fetches := k.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			l := topicPartition{r.Topic, r.Partition}
			if end, ok := unread[l]; ok && r.Offset+1 >= end {
				delete(unread, l)
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
