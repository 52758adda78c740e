package explain

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/store"
	"allocation/worker"
)

// TopicsError says why the topics were not read to their ends.
type TopicsError struct{ Err error }

func (e *TopicsError) Error() string { return "read the topics of commands: " + e.Err.Error() }

// Unwrap is what went wrong.
func (e *TopicsError) Unwrap() error { return e.Err }

// findInTopics adds commands with an id or a correlation that the topics have, and the database
// does not know by it.
func (c *Commands) findInTopics(ctx context.Context, q Query, found *store.Found) error {
	positions, err := c.Store.Positions(ctx)
	if err != nil {
		return err
	}
	known := map[store.RecordID]bool{}
	for _, f := range found.Commands {
		known[f.ID] = true
	}
	read := map[string]bool{}
	for _, position := range positions {
		if topic := position.Topic; !position.Retired && !read[topic] {
			read[topic] = true
			if err := c.findInTopic(ctx, topic, q, known, found); err != nil {
				return &TopicsError{err}
			}
		}
	}
	return nil
}

func (c *Commands) findInTopic(ctx context.Context, topic string, q Query, known map[store.RecordID]bool, found *store.Found) error {
	client, err := c.Program.OpenTopic(ctx, c.Store, c.Kafka, topic)
	if err != nil {
		return err
	}
	defer client.Close()
	return cli.ReadTopic(ctx, client, topic, q.Since, func(r *kgo.Record) error {
		id := store.RecordID{Topic: topic, Partition: r.Partition, Offset: r.Offset}
		command := commandOf(r, c.Program)
		cause := command.Cause
		switch {
		case known[id] || cause.CommandID != q.Text && cause.CorrelationID != q.Text:
		case len(found.Commands) >= q.Limit:
			found.More = true
		default:
			at := r.Timestamp.UTC()
			found.Commands = append(found.Commands, store.FoundCommand{ID: id, CommandID: cause.CommandID, CorrelationID: cause.CorrelationID, Time: &at, Type: command.Type})
		}
		return nil
	})
}

// commandOf reads the envelope of a record: a command's, or that of an event of another service.
func commandOf(r *kgo.Record, p *cli.Program) worker.Command {
	parked := worker.ParkedRecord{Key: r.Key, Value: r.Value, Headers: r.Headers}
	command := parked.Command(p.Service.TypePrefix)
	for _, other := range p.Vocabulary.Takes {
		if command.Type == "" {
			if event := parked.Command(other.TypePrefix); event.Type != "" {
				return event
			}
		}
	}
	return command
}
