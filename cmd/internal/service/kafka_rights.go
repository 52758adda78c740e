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

// checkRights asks which of a worker's rights Kafka gives this user. A topic that does not exist is
// another matter: see checkTopics.
func (p *Process) checkRights(ctx context.Context, client *kgo.Client, topics []askedTopic) error {
	var statements []string
	for _, t := range topics {
		hidden := errors.Is(t.err, kerr.TopicAuthorizationFailed)
		if hidden || t.err == nil && !allowed(t.AuthorizedOperations, t.needs) {
			statements = append(statements, allow(p.settings.Kafka, t.needs, "--topic "+t.name))
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
