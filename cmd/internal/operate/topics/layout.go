package topics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
)

// What a layout has where nobody says otherwise.
const (
	DefaultPartitions = 12
	BrokersDefault    = -1 // as the replication factor
)

const (
	maxReplicas     = 1000
	maxMessageBytes = "max.message.bytes"

	// A dead letter is the command with more headers; this is ample for them.
	deadLetterOverhead = 64 << 10
	// What Kafka allows where nobody says otherwise.
	defaultMessageBytes = 1048588
)

// Layout is which topics there have to be.
type Layout struct {
	config.Topics
	Partitions  int32
	Replication int16
}

// Made is what became of one topic.
type Made struct {
	Topic      string `json:"topic"`
	Partitions int    `json:"partitions"`
	Created    bool   `json:"created"`
	Note       string `json:"note,omitempty"`
}

// Create makes the topics that are missing. Called again, or by several at once, it does no harm.
func (l Layout) Create(ctx context.Context, admin *kadm.Client) ([]Made, error) {
	var made []Made
	for _, topic := range append(l.CommandTopicNames(), l.Outputs()...) {
		m, err := l.createOne(ctx, admin, topic, map[string]*string{})
		if err != nil {
			return made, err
		}
		made = append(made, m)
	}
	m, err := l.createDeadLetters(ctx, admin)
	if err != nil {
		return made, err
	}
	return append(made, m), nil
}

func (l Layout) createDeadLetters(ctx context.Context, admin *kadm.Client) (Made, error) {
	needed := min(largestMessage(ctx, admin, l.CommandTopicNames())+deadLetterOverhead, math.MaxInt32)
	return l.createOne(ctx, admin, l.DeadLetterTopic, map[string]*string{maxMessageBytes: kadm.StringPtr(strconv.FormatInt(needed, 10))})
}

// createOne makes a topic that is not compacted, whatever the brokers' default is: all its records
// count.
func (l Layout) createOne(ctx context.Context, admin *kadm.Client, topic string, settings map[string]*string) (Made, error) {
	settings[CleanupPolicy] = kadm.StringPtr(policyDelete)
	_, err := admin.CreateTopic(ctx, l.Partitions, l.Replication, settings, topic)
	if err == nil {
		return Made{Topic: topic, Partitions: int(l.Partitions), Created: true}, awaitTopic(ctx, admin, topic)
	}
	if !errors.Is(err, kerr.TopicAlreadyExists) {
		return Made{}, fmt.Errorf("create topic %s: %w", topic, err)
	}
	found, err := admin.ListTopics(ctx, topic)
	if errors.Is(found[topic].Err, kerr.TopicAuthorizationFailed) {
		err = found[topic].Err // any other: the broker may not have heard yet of a topic that was just made
	}
	if err != nil {
		return Made{}, fmt.Errorf("describe topic %s: %w", topic, err)
	}
	return Made{Topic: topic, Partitions: len(found[topic].Partitions)}, nil
}

// largestMessage is the most that any of the topics takes. It is Kafka's default where this user
// may not see their settings.
func largestMessage(ctx context.Context, admin *kadm.Client, topics []string) int64 {
	largest := int64(0)
	for _, resource := range describeTopics(ctx, admin, topics) {
		for _, c := range resource.Configs {
			if c.Key == maxMessageBytes {
				n, _ := strconv.ParseInt(c.MaybeValue(), 10, 64)
				largest = max(largest, n)
			}
		}
	}
	if largest == 0 {
		return defaultMessageBytes
	}
	return largest
}

// describeTopics asks again while a broker has not heard yet of a topic that was just made.
func describeTopics(ctx context.Context, admin *kadm.Client, topics []string) (configs kadm.ResourceConfigs) {
	_ = untilKnown(ctx, func(ctx context.Context) (known bool, err error) {
		configs, err = admin.DescribeTopicConfigs(ctx, topics...)
		return !slices.ContainsFunc(configs, func(r kadm.ResourceConfig) bool { return errors.Is(r.Err, kerr.UnknownTopicOrPartition) }), err
	})
	return configs
}

// awaitTopic returns when a topic that was just made can be used: what comes next may be a worker,
// which would miss it.
func awaitTopic(ctx context.Context, admin *kadm.Client, topic string) error {
	err := untilKnown(ctx, func(ctx context.Context) (bool, error) {
		found, err := admin.ListTopics(ctx, topic)
		if err != nil || !found.Has(topic) {
			return false, err
		}
		if errors.Is(found[topic].Err, kerr.TopicAuthorizationFailed) {
			return false, found[topic].Err
		}
		leaderless := func(p kadm.PartitionDetail) bool { return p.Leader < 0 || p.Err != nil }
		partitions := found[topic].Partitions.Sorted()
		return len(partitions) > 0 && !slices.ContainsFunc(partitions, leaderless), nil
	})
	if err != nil {
		return fmt.Errorf("wait for topic %s, which was made: %w", topic, err)
	}
	return nil
}

// untilKnown asks until the answer is yes, or an error, or the time is over.
func untilKnown(ctx context.Context, ask func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, cli.AnswerTime, fmt.Errorf("not there after %s", cli.AnswerTime))
	defer cancel()
	return cli.Until(ctx, ask)
}
