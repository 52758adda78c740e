package offsets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
	"allocation/worker"
)

// servers are where positions and logs are.
type servers struct {
	config.Kafka
	config.Database
	JSON bool `help:"Print JSON."`
}

// view is everything that is known about positions, at one time.
type view struct {
	db        *store.Store
	client    *kgo.Client
	admin     *kadm.Client
	positions []store.PositionView
	topics    kadm.TopicDetails
	logs      map[worker.TopicPartition]worker.Log // of partitions that answered
	silent    map[worker.TopicPartition]error      // why others did not
	away      error                                // why Kafka was not asked; nil: it was
}

// look connects, and reads all positions and the logs of their topics. The caller closes.
func (s *servers) look(ctx context.Context, p *cli.Program) (*view, error) {
	db, err := p.OpenStore(ctx, s.Database)
	if err != nil {
		return nil, err
	}
	client, err := p.ConnectKafka(ctx, s.Kafka)
	if err != nil {
		db.Close()
		return nil, err
	}
	v, err := readView(ctx, db, client, s.Kafka)
	if err != nil {
		client.Close()
		db.Close()
	}
	return v, err
}

// readView reads all positions and the logs of their topics.
func readView(ctx context.Context, db *store.Store, client *kgo.Client, kafka config.Kafka) (*view, error) {
	v := &view{db: db, client: client, admin: kadm.NewClient(client)}
	return v, v.read(ctx, kafka)
}

func (v *view) close() {
	v.client.Close()
	v.db.Close()
}

func (v *view) read(ctx context.Context, kafka config.Kafka) (err error) {
	if err := cli.SameCluster(ctx, v.db, v.client, kafka); err != nil {
		return err
	}
	if v.positions, err = v.db.Positions(ctx); err != nil {
		return err
	}
	topics, err := v.existing(ctx)
	if err != nil || len(topics) == 0 {
		return err
	}
	answers := worker.Ask(ctx, v.client, v.topics, func(worker.TopicPartition) bool { return true })
	current := map[worker.TopicPartition]worker.Position{}
	for _, p := range v.positions {
		if !p.Retired {
			current[partitionOf(p)] = p.Position()
		}
	}
	answers.Compare(ctx, v.client, current)
	v.logs, v.silent = answers.Logs, answers.Silent
	for name := range current {
		if why := answers.Why(name); why != nil {
			v.silent[name] = why
		}
	}
	return ctx.Err()
}

// existing are the positions' topics that Kafka has.
func (v *view) existing(ctx context.Context) (topics []string, err error) {
	for _, p := range v.positions {
		if !slices.Contains(topics, p.Topic) {
			topics = append(topics, p.Topic)
		}
	}
	if len(topics) == 0 {
		return nil, nil
	}
	if v.topics, err = worker.ListTopics(ctx, v.client, topics...); err != nil {
		return nil, err
	}
	hidden := slices.DeleteFunc(slices.Clone(topics), func(name string) bool { return !v.hidden(name) })
	if len(hidden) == len(topics) {
		return nil, cli.HiddenTopics(hidden...)
	}
	return slices.DeleteFunc(topics, func(name string) bool { return !v.topics.Has(name) && !v.hidden(name) }), nil
}

// hidden reports whether this user may not see a topic. That one is not gone.
func (v *view) hidden(topic string) bool {
	var denied *worker.DeniedError
	return errors.As(v.topics[topic].Err, &denied)
}

func partitionOf(p store.PositionView) worker.TopicPartition {
	return worker.TopicPartition{Topic: p.Topic, Partition: p.Partition}
}

// noAnswer says why nothing is known of a position's log.
func (v *view) noAnswer(p store.PositionView) error {
	return fmt.Errorf("topic %s, partition %d: %w", p.Topic, p.Partition, cmp.Or(v.silent[partitionOf(p)], errNoLeader))
}

// unusable says why a position cannot be used; empty where it can, or where Kafka does not tell
// now.
func (v *view) unusable(p store.PositionView) string {
	if v.away != nil {
		return ""
	}
	if v.gone(p) {
		return "the topic has no such partition any more"
	}
	log, ok := v.logs[partitionOf(p)]
	if !ok {
		return ""
	}
	return log.Unusable(p.Position())
}

func (v *view) gone(p store.PositionView) bool {
	_, exists := v.topics[p.Topic].Partitions[p.Partition]
	return !exists && !v.hidden(p.Topic)
}
