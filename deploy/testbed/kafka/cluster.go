package kafka

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"allocation/deploy/testbed/await"
)

// Cluster is three or more nodes that keep everything three times, and take writes while two of the
// three live.
//
// Each node has a plain address for clients, and one or more that it tells to clients of its other
// listeners, which are somebody else's, such as proxies' that lead there.
type Cluster struct{ nodes []*Server }

// OpenCluster makes as many nodes as advertised names, in an empty folder, and starts them. A
// node's name is the address of its other listener, or several with commas between.
func OpenCluster(ctx context.Context, dir string, advertised []string) (*Cluster, error) {
	c := new(Cluster)
	for n, names := range advertised {
		node, err := newServer(ctx, filepath.Join(dir, "kafka-"+strconv.Itoa(n)), nil)
		if err != nil {
			return nil, err
		}
		node.heap = "384m"
		var back []Listener
		for i, address := range strings.Split(names, ",") {
			back = append(back, Listener{Name: "BACK" + strconv.Itoa(i), Advertised: address})
		}
		if node.listeners, err = freeListeners(back); err != nil {
			return nil, err
		}
		if err := os.Mkdir(node.dir, 0o755); err != nil {
			return nil, err
		}
		c.nodes = append(c.nodes, node)
	}
	for n, node := range c.nodes {
		node.cluster, node.settings = c.nodes[0].cluster, c.settings(n)
	}
	return c, c.open(ctx)
}

// settings are a node's, beyond those of a single one.
func (c *Cluster) settings(n int) map[string]string {
	var voters []string
	for i, node := range c.nodes {
		voters = append(voters, strconv.Itoa(i+1)+"@"+node.listeners.Controller)
	}
	protocols := "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
	for _, back := range c.nodes[n].listeners.More {
		protocols += "," + back.Name + ":PLAINTEXT"
	}
	return map[string]string{
		"node.id":                        strconv.Itoa(n + 1),
		"controller.quorum.voters":       strings.Join(voters, ","),
		"listener.security.protocol.map": protocols,
		"inter.broker.listener.name":     "PLAINTEXT",
		"default.replication.factor":     "3",
		"min.insync.replicas":            "2",
		// A lagging replica leaves the in-sync set in time to be of no harm.
		"replica.lag.time.max.ms":                  "5000",
		"offsets.topic.replication.factor":         "3",
		"transaction.state.log.replication.factor": "3",
		"transaction.state.log.min.isr":            "2",
	}
}

// open starts all nodes at once: none answers before most do.
func (c *Cluster) open(ctx context.Context) error {
	var starting errgroup.Group
	for _, node := range c.nodes {
		starting.Go(func() error { return node.firstStart(ctx) })
	}
	err := starting.Wait()
	if err == nil {
		err = c.awaitAll(ctx)
	}
	if err != nil {
		return errors.Join(err, c.Close())
	}
	return nil
}

// awaitAll returns when every node knows all others as brokers: before, a topic cannot be kept
// three times.
func (c *Cluster) awaitAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers()...))
	if err != nil {
		return err
	}
	defer client.Close()
	return await.Ready(ctx, nil, func(ctx context.Context) error { return askForBrokers(ctx, client, len(c.nodes)) })
}

// Brokers are the plain addresses.
func (c *Cluster) Brokers() (addresses []string) {
	for _, node := range c.nodes {
		addresses = append(addresses, node.Brokers())
	}
	return addresses
}

// Back are the addresses of a node's other listeners: where the advertised ones must lead.
func (c *Cluster) Back(n int) (addresses []string) {
	for _, listener := range c.nodes[n].listeners.More {
		addresses = append(addresses, listener.Bind)
	}
	return addresses
}

// Start starts a node that has ended, and returns when it answers, for which most of the nodes must
// live.
func (c *Cluster) Start(ctx context.Context, n int) error { return c.nodes[n].Start(ctx) }

// Kill kills a node.
func (c *Cluster) Kill(n int) { c.nodes[n].process.Kill() }

// Close kills all nodes at once; their folders are their maker's.
func (c *Cluster) Close() error {
	var ending sync.WaitGroup
	for _, node := range c.nodes {
		ending.Go(func() { _ = node.Close() })
	}
	ending.Wait()
	return nil
}
