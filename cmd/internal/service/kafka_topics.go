package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/cmd/internal/cli"
	"allocation/worker"
)

// askedTopic is a topic of a worker, and what a broker says about it.
type askedTopic struct {
	name  string
	needs kmsg.ACLOperation
	kmsg.MetadataResponseTopic
	err error
}

// askTopics asks for the cluster's id, and about the worker's topics.
func (p *Process) askTopics(ctx context.Context, client *kgo.Client) (cluster string, topics []askedTopic, err error) {
	of := p.settings.Topics
	for _, name := range of.Inputs() {
		topics = append(topics, askedTopic{name: name, needs: kmsg.ACLOperationRead})
	}
	for _, name := range append(of.Outputs(), of.DeadLetterTopic) {
		topics = append(topics, askedTopic{name: name, needs: kmsg.ACLOperationWrite})
	}
	for _, other := range of.Sent() {
		topics = append(topics, askedTopic{name: other.Topic, needs: kmsg.ACLOperationWrite})
	}
	request := kmsg.NewPtrMetadataRequest()
	request.IncludeTopicAuthorizedOperations = true
	asked := map[string]bool{}
	for i := range topics {
		if asked[topics[i].name] {
			continue
		}
		asked[topics[i].name] = true
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &topics[i].name
		request.Topics = append(request.Topics, topic)
	}
	answer, err := worker.AnyBroker(ctx, func(ctx context.Context) (*kmsg.MetadataResponse, error) { return request.RequestWith(ctx, client) })
	if err != nil {
		return "", nil, fmt.Errorf("ask Kafka for its cluster and topics: %w", err)
	}
	found := map[string]kmsg.MetadataResponseTopic{}
	for _, t := range answer.Topics {
		if t.Topic != nil {
			found[*t.Topic] = t
		}
	}
	for i := range topics {
		t := &topics[i]
		t.MetadataResponseTopic = found[t.name]
		t.err = kerr.ErrorForCode(t.ErrorCode)
	}
	if answer.ClusterID != nil {
		cluster = *answer.ClusterID
	}
	return cluster, topics, nil
}

// checkTopics says which topics are missing, and which command topics have no id. Events are named
// by it, and it tells a topic that was made again.
func checkTopics(topics []askedTopic) error {
	var missing, without []string
	for _, t := range topics {
		if errors.Is(t.err, kerr.UnknownTopicOrPartition) {
			missing = append(missing, t.name)
		}
		if t.needs == kmsg.ACLOperationRead && t.err == nil && t.TopicID == [16]byte{} {
			without = append(without, t.name)
		}
	}
	if len(missing) > 0 {
		return &cli.MissingTopicsError{Topics: missing}
	}
	if len(without) > 0 {
		return cli.SetupError(fmt.Sprintf("Kafka gives no topic ids (asked about %s), and events are named by them: a worker needs brokers of 2.8 or newer whose inter.broker.protocol.version is 2.8 or newer",
			strings.Join(without, ", ")))
	}
	return nil
}
