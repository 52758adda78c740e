package worker_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

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
	p.attentive = true
	hidden := p.commands + "-hidden"
	admin := kadm.NewClient(p.client)
	_, err := admin.CreateTopic(t.Context(), 2, 1, nil, hidden)
	require.NoError(t, err)
	testbed.Eventually(t, func() bool { // a topic is made before all its partitions lead
		ends, err := admin.ListEndOffsets(t.Context(), hidden)
		return err == nil && ends.Error() == nil
	})
	p.topics = []worker.Topic{{Name: hidden}}
	refused := &atomic.Int64{}
	p.refused = func() { refused.Add(1) }
	first := p.start()
	p.sendTo(hidden, 0, create("h0", "h0", 1))
	p.sendTo(hidden, 1, create("h1", "h1", 1))
	p.sendNames(0, 0, 1)
	p.await(3)

	denied, err := admin.CreateACLs(t.Context(), hiding(hidden))
	require.NoError(t, err)
	require.NoError(t, denied[0].Err)
	second := p.start() // which gets partitions of both
	testbed.Eventually(t, func() bool { return second.gauge("partitions_assigned") >= 2 })
	require.NoError(t, first.stop())
	p.sendNames(0, 1, 1)
	p.sendNames(1, 0, 1)
	p.awaitName(0, 1)
	p.awaitName(1, 0)
	testbed.Eventually(t, func() bool { return strings.Contains(fmt.Sprint(second.Notes()), hidden) })
	testbed.Eventually(t, func() bool { return len(second.NotReady(t.Context())) == 0 })
	named := regexp.MustCompile(`level=ERROR msg="nothing .*` + hidden + `.*TOPIC_AUTHORIZATION_FAILED`)
	testbed.Eventually(t, func() bool { return named.MatchString(p.log.String()) && refused.Load() > 0 })

	allowed, err := admin.DeleteACLs(t.Context(), hiding(hidden))
	require.NoError(t, err)
	require.Len(t, allowed[0].Deleted, 1)
	p.sendTo(hidden, 0, create("h2", "h2", 1))
	p.sendTo(hidden, 1, create("h3", "h3", 1))
	p.await(3 + 2 + 2)
	testbed.Eventually(t, func() bool { return len(second.Notes()) == 0 })
	require.NoError(t, second.stop())
}

// hiding is the rule that hides a topic from everybody.
func hiding(topic string) *kadm.ACLBuilder {
	return kadm.NewACLs().Deny("User:*").DenyHosts("*").Topics(topic).Operations(kadm.OpAll)
}
