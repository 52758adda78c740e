package service_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"

	"allocation/cmd/allocation/programtest"
)

// Where brokers give topics no ids, two command topics would share the ids of their events, and
// getting ids later would look as if the topics had been made again. It runs on kfake, since Apache
// Kafka 4 cannot be made as old as that.
func TestWorker_refusesBrokersWithoutTopicIDs(t *testing.T) {
	t.Parallel()
	programtest.NewMigratedDatabase(t)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.MaxVersions(kversion.V2_7_0()),
		kfake.SeedTopics(1, "warehouse.commands", "allocation.events", "warehouse.commands.dlq"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	programtest.RefuseWorker(t, "--kafka-brokers="+strings.Join(cluster.ListenAddrs(), ",")).RequireFailed(t, "Kafka gives no topic ids (asked about warehouse.commands)", "inter.broker.protocol.version")
}
