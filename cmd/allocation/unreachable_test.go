package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/deploy/testbed/kafka"
	"allocation/deploy/testbed/proxy"
)

// One broker of three cannot be reached from one worker; others reach it.
func TestService_goesOnWhereItReachesNotEachBroker(t *testing.T) {
	var proxies [3]*proxy.Proxy
	var advertised [3]string
	for n := range proxies {
		p, err := proxy.New()
		require.NoError(t, err)
		t.Cleanup(func() { _ = p.Close() })
		proxies[n], advertised[n] = p, p.Addr()
	}
	cluster := newCluster(t, advertised[:]...)
	for n, p := range proxies {
		p.Lead(cluster.Back(n)[0])
	}
	s := onOneReplica(t, cluster)
	away := s.notCoordinator(cluster)
	one, other := int32((away+1)%3+1), int32((away+2)%3+1)
	for _, topic := range []string{s.names.events, s.names.route, s.names.deadLetters} {
		makeTopic(t, cluster, topic, [][]int32{{one, other}, {other, one}})
	}
	s.setUp("3")
	skus := s.oneOfEach()
	for _, sku := range skus {
		s.send("CreateBatch", "ref=b"+sku, "sku="+sku, "qty=100")
	}
	s.applied(3)
	require.NoError(t, s.stop())

	proxies[away].Hold(proxy.Up, proxy.Down)
	behind := &Service{t: t, group: s.group, names: s.names}
	behind.names.brokers = strings.Join(advertised[:], ",")
	behind.start()
	var reached []string
	for n, sku := range skus {
		if n != away {
			reached = append(reached, sku)
		}
	}
	s.allocates("goes-on", reached)
	behind.namesPartition(s, away, "its leader is broker "+fmt.Sprint(away+1)+", which was asked: ")
	require.True(t, behind.listsAs(away, "not_fetched"), "it needs no broker that is away")
	proxies[away].Release()
	s.allocates("again", skus[:])
	behind.namesNothing()
	require.NoError(t, behind.stop())
}

// notCoordinator is a node that the group does not need.
func (s *Service) notCoordinator(cluster *kafka.Cluster) int {
	s.t.Helper()
	admin := newAdmin(s.t, strings.Join(cluster.Brokers(), ","))
	defer admin.Close()
	var found kadm.FindCoordinatorResponses
	require.Eventually(s.t, func() bool { // its topic is made when it is asked for first
		found = admin.FindGroupCoordinators(s.t.Context(), s.group)
		return found.Error() == nil
	}, replicasLimit, 50*time.Millisecond)
	return int(found[s.group].NodeID % 3)
}
