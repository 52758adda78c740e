package worker

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Partition names a partition of a command topic.
type Partition struct {
	Topic  string
	Number int32
}

// Position is how far a partition is applied.
type Position struct {
	TopicID     [16]byte
	Offset      int64
	LeaderEpoch int32 // of the last record applied; -1: not known
}

// Log is what Kafka says of a partition's log.
type Log struct {
	TopicID            [16]byte
	Start, Stable, End int64
	LeaderEpoch        int32 // of its leader; none where the broker does not tell

	// Shared is how far the log certainly holds what was applied, where that is less than the position; else -1. See Compare.
	Shared int64
}

// noEpoch is above every epoch: brokers that tell none cannot be asked about them.
const noEpoch = math.MaxInt32

// Unusable says why a position cannot be used on this log; empty where it can.
func (l Log) Unusable(p Position) string {
	switch {
	case p.TopicID != l.TopicID:
		return fmt.Sprintf("the topic was deleted and made again: its id is %s, the position belongs to %s", kadm.TopicID(l.TopicID), kadm.TopicID(p.TopicID))
	case p.Offset == 0 && l.Start > 0:
		return fmt.Sprintf("nothing of the partition was applied, and its log does not start at its beginning but at %d: what was before is deleted", l.Start)
	case p.Offset < l.Start:
		return fmt.Sprintf("position %d is before the start of the log, %d: commands were deleted before they were applied", p.Offset, l.Start)
	case p.Offset > l.End:
		return fmt.Sprintf("position %d is beyond the end of the log, %d: the log lost records", p.Offset, l.End)
	case l.Shared >= 0:
		return fmt.Sprintf("the log was cut at %d or after, and grew again beyond position %d: it holds other records now than those that were applied", l.Shared, p.Offset)
	}
	return ""
}

// GoOn is the offset from which nothing of this log was applied, for a position that is unusable.
func (l Log) GoOn(p Position) int64 {
	switch {
	case p.TopicID != l.TopicID || p.Offset < l.Start:
		return l.Start
	case l.Shared >= 0:
		return l.Shared
	}
	return min(p.Offset, l.End)
}

// Logs asks Kafka for the topics' ids and the bounds of their logs. A partition that is not in the answer does not exist, or cannot be asked
// about: see lookup.
func Logs(ctx context.Context, admin *kadm.Client, topics ...string) (map[Partition]Log, error) {
	details, err := admin.ListTopics(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("list start offsets: %w", err)
	}
	ends, err := admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("list end offsets: %w", err)
	}
	stables, err := admin.ListCommittedOffsets(ctx, topics...) // last: what comes meanwhile must not seem to wait for a transaction
	if err != nil {
		return nil, fmt.Errorf("list stable offsets: %w", err)
	}
	logs := map[Partition]Log{}
	for _, t := range details {
		for _, p := range t.Partitions {
			log := Log{TopicID: t.ID, LeaderEpoch: p.LeaderEpoch, Shared: -1}
			if log.LeaderEpoch < 0 {
				log.LeaderEpoch = noEpoch
			}
			known := offset(starts, p, &log.Start) && offset(stables, p, &log.Stable) && offset(ends, p, &log.End)
			log.End = max(log.End, log.Stable)
			if known && p.Err == nil {
				logs[Partition{p.Topic, p.Partition}] = log
			}
		}
	}
	return logs, nil
}

func offset(listed kadm.ListedOffsets, p kadm.PartitionDetail, into *int64) bool {
	o, ok := listed.Lookup(p.Topic, p.Partition)
	*into = o.Offset
	return ok && o.Err == nil
}

var errNoAnswer = errors.New("no answer")

// Compare finds out whether logs still hold what was applied under the leader epochs of positions, and sets Shared where they do not. Only
// this shows that a log was cut and grew again: a leader that was not in sync began, with an epoch of its own, where its log ended.
func Compare(ctx context.Context, client *kgo.Client, positions map[Partition]Position, logs map[Partition]Log) error {
	req := compareRequest(positions, logs)
	if len(req.Topics) == 0 {
		return nil
	}
	answered := 0
	for _, shard := range client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return fmt.Errorf("ask for the end of leader epochs: %w", shard.Err)
		}
		for _, t := range shard.Resp.(*kmsg.OffsetForLeaderEpochResponse).Topics {
			for _, p := range t.Partitions {
				name := Partition{t.Topic, p.Partition}
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return fmt.Errorf("ask for the end of leader epoch of %s, partition %d: %w", t.Topic, p.Partition, err)
				}
				log := logs[name]
				log.Shared = shared(positions[name], p.LeaderEpoch, p.EndOffset, log.Start)
				logs[name] = log
				answered++
			}
		}
	}
	if asked := partitionsIn(req); answered < asked {
		return fmt.Errorf("ask for the end of leader epochs: %w of %d of %d partitions", errNoAnswer, asked-answered, asked)
	}
	return nil
}

// compareRequest asks about positions that are within logs of their topic.
func compareRequest(positions map[Partition]Position, logs map[Partition]Log) *kmsg.OffsetForLeaderEpochRequest {
	byTopic := map[string][]kmsg.OffsetForLeaderEpochRequestTopicPartition{}
	for name, p := range positions {
		log, ok := logs[name]
		if !ok || p.LeaderEpoch < 0 || p.TopicID != log.TopicID || p.Offset < log.Start || log.LeaderEpoch == noEpoch {
			continue
		}
		rp := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		rp.Partition, rp.LeaderEpoch = name.Number, p.LeaderEpoch
		rp.CurrentLeaderEpoch = log.LeaderEpoch // a leader that was deposed must not answer
		byTopic[name.Topic] = append(byTopic[name.Topic], rp)
	}
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	for topic, partitions := range byTopic {
		rt := kmsg.NewOffsetForLeaderEpochRequestTopic()
		rt.Topic, rt.Partitions = topic, partitions
		req.Topics = append(req.Topics, rt)
	}
	return req
}

func partitionsIn(req *kmsg.OffsetForLeaderEpochRequest) (n int) {
	for _, t := range req.Topics {
		n += len(t.Partitions)
	}
	return n
}

// shared reads the answer to where an epoch ends. Where the log does not know the epoch of the last record applied, nobody can say how much of
// it is the same.
func shared(p Position, epoch int32, end, start int64) int64 {
	switch {
	case end < 0 || epoch < p.LeaderEpoch:
		return start
	case end < p.Offset:
		return max(start, end)
	}
	return -1
}
