package testbed

import (
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/deploy/testbed/await"
)

// Kafka returns the address of the shared server.
func Kafka(t testing.TB) string {
	t.Helper()
	return sharedKafka.forTest(t)
}

// Topic creates a topic on the shared server and returns its name: the given one, made unique. It
// is ready for records, and deleted when the test has ended.
func Topic(t testing.TB, name string, partitions int32) string {
	t.Helper()
	admin, topic := Admin(t, Kafka(t)), name+"-"+randomSuffix()
	if err := createTopic(t.Context(), admin, topic, partitions); err != nil {
		t.Fatalf("create a topic for the test: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
		defer cancel()
		if _, err := admin.DeleteTopic(ctx, topic); err != nil {
			t.Errorf("delete the test's topic: %v", err)
		}
	})
	return topic
}

func createTopic(ctx context.Context, admin *kadm.Client, topic string, partitions int32) error {
	const brokersDefault = -1
	if _, err := admin.CreateTopic(ctx, partitions, brokersDefault, nil, topic); err != nil {
		return err
	}
	return awaitLeaders(ctx, admin, topic)
}

// awaitLeaders returns when every partition has a leader. A client that asks before waits seconds
// until it asks again.
func awaitLeaders(ctx context.Context, admin *kadm.Client, topic string) error {
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	return await.Ready(ctx, nil, func(ctx context.Context) error {
		topics, err := admin.ListTopics(ctx, topic)
		if err == nil && !hasLeaders(topics[topic]) {
			err = fmt.Errorf("topic %s has no leaders yet", topic)
		}
		return err
	})
}

func hasLeaders(topic kadm.TopicDetail) bool {
	for _, partition := range topic.Partitions {
		if partition.Err != nil || partition.Leader < 0 {
			return false
		}
	}
	return topic.Err == nil && len(topic.Partitions) > 0
}
