package kafka

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/local/child"
	"allocation/deploy/testbed/proxy"
)

// TestCluster_survivesTheLossOfANode: what was acknowledged stays, and the others take more; by
// proxies as by the plain way.
func TestCluster_survivesTheLossOfANode(t *testing.T) {
	if testing.Short() {
		t.Skip("make test-all runs it")
	}
	t.Parallel()
	c, seeds := openCluster(t)
	admin, err := kadm.NewOptClient(kgo.SeedBrokers(c.Brokers()...))
	require.NoError(t, err)
	defer admin.Close()
	_, err = admin.CreateTopic(t.Context(), 3, 3, nil, "kept")
	require.NoError(t, err)

	client, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.MetadataMinAge(100*time.Millisecond), kgo.UnknownTopicRetries(-1))
	require.NoError(t, err)
	defer client.Close()
	produce := func() { require.NoError(t, client.ProduceSync(t.Context(), records(30)...).FirstErr()) }
	produce()
	for n := range seeds {
		c.Kill(n)
		produce()
		require.NoError(t, c.Start(t.Context(), n))
	}
	ends, err := admin.ListEndOffsets(t.Context(), "kept")
	require.NoError(t, err)
	total := int64(0)
	ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
	require.EqualValues(t, 120, total)
}

func records(n int) (list []*kgo.Record) {
	for range n {
		list = append(list, &kgo.Record{Topic: "kept", Value: []byte("value")})
	}
	return list
}

func openCluster(t *testing.T) (c *Cluster, seeds []string) {
	t.Helper()
	dir, sweeper, err := child.TempDir("allocation-cluster-*")
	require.NoError(t, err)
	t.Cleanup(func() { _ = sweeper.Close() })
	var proxies []*proxy.Proxy
	for range 3 {
		p, err := proxy.New()
		require.NoError(t, err)
		t.Cleanup(func() { _ = p.Close() })
		proxies, seeds = append(proxies, p), append(seeds, p.Addr())
	}
	c, err = OpenCluster(t.Context(), dir, seeds)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	for n, p := range proxies {
		p.Lead(c.Back(n)[0])
	}
	return c, seeds
}
