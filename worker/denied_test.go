package worker_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/deploy/testbed"
	"allocation/worker"
)

// Of two command topics one is hidden from the workers, while the group deals out partitions. Those
// of the other are claimed and applied, the hidden one is named, and goes on when it is seen again.
func TestWorker_goesOnWhereOneTopicIsHiddenFromIt(t *testing.T) {
	t.Parallel()
	server := testbed.StartSecuredKafka(t, testbed.KafkaSettings{
		"authorizer.class.name":            "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"allow.everyone.if.no.acl.found":   "true",
		"group.initial.rebalance.delay.ms": "0",
	}, nil, nil)
	p := onServers(t, server.Brokers(), testbed.Migrated(t))
	hidden := p.commands + "-hidden"
	_, err := kadm.NewClient(p.client).CreateTopic(t.Context(), 2, 1, nil, hidden)
	require.NoError(t, err)
	p.topics = []worker.Topic{{Name: hidden}}
	refused := &atomic.Int64{}
	p.refused = func() { refused.Add(1) }
	first := p.start()
	p.sendTo(hidden, 0, create("h0", "h0", 1))
	p.sendTo(hidden, 1, create("h1", "h1", 1))
	p.sendNames(0, 0, 1)
	p.await(3)

	p.deny(hidden)
	second := p.start() // which gets partitions of both
	testbed.Eventually(t, func() bool { return second.gauge("partitions_assigned") >= 2 })
	require.NoError(t, first.stop())
	p.sendNames(0, 1, 1)
	p.sendNames(1, 0, 1)
	p.awaitName(0, 1)
	p.awaitName(1, 0)
	testbed.Eventually(t, func() bool { return strings.Contains(fmt.Sprint(second.Notes()), hidden) })
	require.Empty(t, second.NotReady(t.Context()))
	require.Regexp(t, regexp.MustCompile(`level=ERROR msg="nothing .*`+hidden+`.*TOPIC_AUTHORIZATION_FAILED`), p.log.String())
	require.Positive(t, refused.Load())

	p.allow(hidden)
	p.sendTo(hidden, 0, create("h2", "h2", 1))
	p.sendTo(hidden, 1, create("h3", "h3", 1))
	p.await(3 + 2 + 2)
	testbed.Eventually(t, func() bool { return len(second.Notes()) == 0 })
	require.NoError(t, second.stop())
}

// deny hides a topic from everybody.
func (p *pipeline) deny(topic string) {
	p.t.Helper()
	creation := kmsg.NewCreateACLsRequestCreation()
	creation.ResourceType, creation.ResourceName = kmsg.ACLResourceTypeTopic, topic
	creation.Principal, creation.Host, creation.Operation = "User:*", "*", kmsg.ACLOperationAll
	creation.ResourcePatternType, creation.PermissionType = kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLPermissionTypeDeny
	request := kmsg.NewPtrCreateACLsRequest()
	request.Creations = append(request.Creations, creation)
	answer, err := request.RequestWith(p.t.Context(), p.client)
	require.NoError(p.t, err)
	require.Zero(p.t, answer.Results[0].ErrorCode)
}

// allow takes that back.
func (p *pipeline) allow(topic string) {
	p.t.Helper()
	filter := kmsg.NewDeleteACLsRequestFilter()
	filter.ResourceType, filter.ResourceName = kmsg.ACLResourceTypeTopic, &topic
	filter.Operation, filter.ResourcePatternType, filter.PermissionType = kmsg.ACLOperationAny, kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLPermissionTypeAny
	request := kmsg.NewPtrDeleteACLsRequest()
	request.Filters = append(request.Filters, filter)
	answer, err := request.RequestWith(p.t.Context(), p.client)
	require.NoError(p.t, err)
	require.Len(p.t, answer.Results[0].MatchingACLs, 1)
}
