package service_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/kafka"
	"allocation/deploy/testbed/proxy"
)

// One broker of three cannot be reached from one worker; others reach it.
func TestService_goesOnWhereItReachesNotEachBroker(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
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
	away := notCoordinator(s, cluster)
	one, other := int32((away+1)%3+1), int32((away+2)%3+1)
	for _, topic := range []string{s.Names.Events, s.Names.Route, s.Names.DeadLetters} {
		makeTopic(t, cluster, topic, [][]int32{{one, other}, {other, one}})
	}
	s.SetUp("3")
	skus := oneOfEach(s)
	for _, sku := range skus {
		s.Send("CreateBatch", "ref=b"+sku, "sku="+sku, "qty=100")
	}
	applied(s, 3)
	require.NoError(t, s.Stop())

	proxies[away].Hold(proxy.Up, proxy.Down)
	behind := &programtest.Service{T: t, Group: s.Group, Names: s.Names}
	behind.Names.Brokers = strings.Join(advertised[:], ",")
	behind.Start()
	var reached []string
	for n, sku := range skus {
		if n != away {
			reached = append(reached, sku)
		}
	}
	allocates(s, "goes-on", reached)
	namesPartition(behind, s, away, "its leader is broker "+fmt.Sprint(away+1)+", which was asked: ")
	require.True(t, listsAs(behind, away, "not_fetched"), "it needs no broker that is away")
	proxies[away].Release()
	allocates(s, "again", skus[:])
	namesNothing(behind)
	require.NoError(t, behind.Stop())
}

// notCoordinator is a node that the group does not need.
func notCoordinator(s *programtest.Service, cluster *kafka.Cluster) int {
	s.T.Helper()
	admin := programtest.NewAdmin(s.T, strings.Join(cluster.Brokers(), ","))
	defer admin.Close()
	var found kadm.FindCoordinatorResponses
	testbed.Eventually(s.T, func() bool { // its topic is made when it is asked for first
		found = admin.FindGroupCoordinators(s.T.Context(), s.Group)
		return found.Error() == nil
	})
	return int(found[s.Group].NodeID % 3)
}
