package export

import (
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

// readTopics reads the commands that may be about a product, as far as they were applied.
func (c *Command) readTopics(ctx context.Context, p *cli.Program, db *store.Store, sku string, since time.Time) (all []products.TopicCommand, err error) {
	positions, err := db.Positions(ctx)
	if err != nil {
		return nil, err
	}
	ends := map[string]map[int32]int64{}
	for _, position := range positions {
		if !position.Retired {
			if ends[position.Topic] == nil {
				ends[position.Topic] = map[int32]int64{}
			}
			ends[position.Topic][position.Partition] = position.NextOffset
		}
	}
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
			if command.MayConcern(sku) {
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
