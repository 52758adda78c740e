package export

import (
	"bytes"
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/store"
	"allocation/store/products"
	"allocation/worker"
)

// early is how long before --from records are read: a command may have waited for its worker.
const early = time.Hour

// positions are how far the commands of each partition were applied.
func positions(ctx context.Context, db *store.Store) (map[string]map[int32]int64, error) {
	positions, err := db.Positions(ctx)
	ends := map[string]map[int32]int64{}
	for _, position := range positions {
		if !position.Retired {
			if ends[position.Topic] == nil {
				ends[position.Topic] = map[int32]int64{}
			}
			ends[position.Topic][position.Partition] = position.NextOffset
		}
	}
	return ends, err
}

// readTopics reads the commands that a history lacks, and are from before the ends.
func (c *Command) readTopics(ctx context.Context, p *cli.Program, db *store.Store, h *products.History, since time.Time,
	ends map[string]map[int32]int64,
) (all []products.TopicCommand, err error) {
	if !since.IsZero() {
		since = since.Add(-early)
	}
	for topic, of := range ends {
		client, err := p.OpenTopic(ctx, db, c.Kafka, topic, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		if err != nil {
			return nil, err
		}
		err = cli.ReadTopicTo(ctx, client, topic, since, of, func(r *kgo.Record) error {
			parked := worker.ParkedRecord{Key: r.Key, Value: r.Value, Headers: r.Headers}
			read := parked.Command(p.Service.TypePrefix)
			command := products.TopicCommand{
				ID: store.RecordID{Topic: topic, Partition: r.Partition, Offset: r.Offset}, Time: r.Timestamp.UTC(), Type: read.Type, Data: read.Data,
				CommandID: read.Cause.CommandID, CorrelationID: read.Cause.CorrelationID,
			}
			if h.Lacks(&command) {
				command.Data = bytes.Clone(command.Data)
				all = append(all, command)
			}
			return nil
		})
		client.Close()
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
