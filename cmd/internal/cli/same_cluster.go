package cli

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/config"
	"allocation/store"
	"allocation/worker"
)

// otherClusterError says that Kafka is not the one that the database's positions are of.
type otherClusterError struct{ own, found, brokers string }

func (e *otherClusterError) Error() string {
	return fmt.Sprintf("the database is of Kafka cluster %s, and at %s is the cluster %s, whose logs and events are others: the brokers or the database are of "+
		"another environment; where Kafka is another for good, see the runbook", e.own, e.brokers, e.found)
}

// SameCluster refuses to compare the database with another environment's Kafka. There, all topics
// seem to be gone or made again.
func SameCluster(ctx context.Context, db *store.Store, client *kgo.Client, kafka config.Kafka) error {
	own, _, err := db.Cluster(ctx)
	if err != nil || own == "" {
		return err
	}
	metadata, err := worker.AnyBroker(ctx, kadm.NewClient(client).BrokerMetadata)
	if err != nil {
		return fmt.Errorf("ask Kafka for its cluster: %w", err)
	}
	if metadata.Cluster != own {
		return &otherClusterError{own, metadata.Cluster, kafka.Brokers}
	}
	return nil
}
