package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/worker"
)

// kafkaRight is one that Kafka's access rules give, on a topic.
type kafkaRight struct {
	operation kmsg.ACLOperation
	topic     string
}

// allow is the command that gives this user a right on what is named.
func allow(kafka config.Kafka, operation kmsg.ACLOperation, what string) string {
	name := map[kmsg.ACLOperation]string{kmsg.ACLOperationRead: "Read", kmsg.ACLOperationWrite: "Write"}[operation]
	return fmt.Sprintf("kafka-acls --bootstrap-server %s --add --allow-principal User:%s --operation %s %s",
		strings.Join(kafka.Seeds(), ","), cmp.Or(kafka.SASLUsername, "…"), name, what)
}

// unknownOperations is a broker's answer where it does not say which operations are allowed.
const unknownOperations = -1 << 31

// allowed goes by a broker's answer. A user that may see something at all may do at least that with
// it.
func allowed(operations int32, operation kmsg.ACLOperation) bool {
	return operations == unknownOperations || operations == 0 || operations&(1<<operation) != 0
}

// hiddenOperations stand for a topic that the user does not even see, if it is there.
const hiddenOperations = 1

// checkRights asks which of a worker's rights Kafka gives this user. A topic that does not exist is
// another matter: see missingTopics.
func (p *Process) checkRights(ctx context.Context, client *kgo.Client) error {
	topics := p.settings.Topics
	var needs []kafkaRight
	for _, name := range topics.CommandTopicNames() {
		needs = append(needs, kafkaRight{kmsg.ACLOperationRead, name})
	}
	for _, name := range append(topics.Outputs(), topics.DeadLetterTopic) {
		needs = append(needs, kafkaRight{kmsg.ACLOperationWrite, name})
	}
	operations, err := topicOperations(ctx, client, needs)
	if err != nil {
		return err
	}
	var statements []string
	for _, need := range needs {
		if found, known := operations[need.topic]; known && !allowed(found, need.operation) {
			statements = append(statements, allow(p.settings.Kafka, need.operation, "--topic "+need.topic))
		}
	}
	reads, err := mayReadGroup(ctx, client, p.settings.Group.ID)
	if err != nil {
		return err
	}
	if !reads {
		statements = append(statements, allow(p.settings.Kafka, kmsg.ACLOperationRead, "--group "+p.settings.Group.ID))
	}
	if len(statements) > 0 {
		return cli.SetupError(fmt.Sprintf("Kafka's access rules do not let this user do what a worker must: as an administrator, `%s`", strings.Join(statements, "; ")))
	}
	return nil
}

func topicOperations(ctx context.Context, client *kgo.Client, needs []kafkaRight) (map[string]int32, error) {
	request := kmsg.NewPtrMetadataRequest()
	request.IncludeTopicAuthorizedOperations = true
	for i := range needs {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &needs[i].topic
		request.Topics = append(request.Topics, topic)
	}
	answer, err := worker.AnyBroker(ctx, func(ctx context.Context) (*kmsg.MetadataResponse, error) { return request.RequestWith(ctx, client) })
	if err != nil {
		return nil, fmt.Errorf("ask Kafka for rights: %w", err)
	}
	operations := map[string]int32{}
	for _, topic := range answer.Topics {
		switch err := kerr.ErrorForCode(topic.ErrorCode); {
		case topic.Topic == nil:
		case errors.Is(err, kerr.TopicAuthorizationFailed):
			operations[*topic.Topic] = hiddenOperations
		case err == nil:
			operations[*topic.Topic] = topic.AuthorizedOperations
		}
	}
	return operations, nil
}

// mayReadGroup reports whether this user may join a group, as far as the broker says so before it
// exists.
func mayReadGroup(ctx context.Context, client *kgo.Client, group string) (bool, error) {
	request := kmsg.NewPtrDescribeGroupsRequest()
	request.Groups = []string{group}
	request.IncludeAuthorizedOperations = true
	answer, err := worker.AnyBroker(ctx, func(ctx context.Context) (*kmsg.DescribeGroupsResponse, error) {
		return request.RequestWith(ctx, client)
	})
	if errors.Is(err, kerr.GroupAuthorizationFailed) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask Kafka for rights: %w", err)
	}
	for _, found := range answer.Groups {
		err := kerr.ErrorForCode(found.ErrorCode)
		if errors.Is(err, kerr.GroupAuthorizationFailed) || err == nil && !allowed(found.AuthorizedOperations, kmsg.ACLOperationRead) {
			return false, nil
		}
	}
	return true, nil
}
