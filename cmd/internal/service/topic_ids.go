package service

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/worker"
)

// topicsWithoutID says which of the topics have no id. Events are named by it, and it tells a topic
// that was made again.
func topicsWithoutID(ctx context.Context, client *kgo.Client, topics ...string) error {
	found, err := worker.ListTopics(ctx, client, topics...)
	if err != nil {
		return err
	}
	var without []string
	for _, t := range found.Sorted() {
		if t.Err == nil && t.ID == (kadm.TopicID{}) {
			without = append(without, t.Topic)
		}
	}
	if len(without) > 0 {
		return cli.SetupError(fmt.Sprintf("Kafka gives no topic ids (asked about %s), and events are named by them: a worker needs brokers of 2.8 or newer whose inter.broker.protocol.version is 2.8 or newer",
			strings.Join(without, ", ")))
	}
	return nil
}
