package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
	"allocation/worker"
)

type offsetsCommand struct {
	List   offsetsListCommand   `cmd:"" help:"Print the position of each partition, and why it cannot be used."`
	Accept offsetsAcceptCommand `cmd:"" help:"End a quarantine: accept the log as it is."`
	Reset  offsetsResetCommand  `cmd:"" help:"Set positions to another offset."`
}

// offsetsServers are where positions and logs are.
type offsetsServers struct {
	config.Kafka
	config.Database
	JSON bool `help:"Print JSON."`
}

// offsetsView is everything that is known about positions, at one time.
type offsetsView struct {
	db        *store.Store
	client    *kgo.Client
	admin     *kadm.Client
	positions []store.PositionView
	topics    kadm.TopicDetails
	logs      map[worker.TopicPartition]worker.Log // of partitions that answered
	silent    map[worker.TopicPartition]error      // why others did not
}

// look connects, and reads all positions and the logs of their topics. The caller closes.
func (s *offsetsServers) look(ctx context.Context, p *cli.Program) (*offsetsView, error) {
	db, err := p.OpenStore(ctx, s.Database)
	if err != nil {
		return nil, err
	}
	client, err := p.ConnectKafka(ctx, s.Kafka)
	if err != nil {
		db.Close()
		return nil, err
	}
	v := &offsetsView{db: db, client: client, admin: kadm.NewClient(client)}
	if err := v.read(ctx, s.Kafka); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

func (v *offsetsView) close() {
	v.client.Close()
	v.db.Close()
}

func (v *offsetsView) read(ctx context.Context, kafka config.Kafka) (err error) {
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
func (v *offsetsView) existing(ctx context.Context) (topics []string, err error) {
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
		return nil, &cli.HiddenTopicsError{Topics: hidden}
	}
	return slices.DeleteFunc(topics, func(name string) bool { return !v.topics.Has(name) && !v.hidden(name) }), nil
}

// hidden reports whether this user may not see a topic. That one is not gone.
func (v *offsetsView) hidden(topic string) bool {
	var denied *worker.DeniedError
	return errors.As(v.topics[topic].Err, &denied)
}

func partitionOf(p store.PositionView) worker.TopicPartition {
	return worker.TopicPartition{Topic: p.Topic, Partition: p.Partition}
}

// noAnswer says why nothing is known of a position's log.
func (v *offsetsView) noAnswer(p store.PositionView) error {
	return fmt.Errorf("topic %s, partition %d: %w", p.Topic, p.Partition, cmp.Or(v.silent[partitionOf(p)], errNoLeader))
}

// unusable says why a position cannot be used; empty where it can, or where Kafka does not tell
// now.
func (v *offsetsView) unusable(p store.PositionView) string {
	if v.gone(p) {
		return "the topic has no such partition any more"
	}
	log, ok := v.logs[partitionOf(p)]
	if !ok {
		return ""
	}
	return log.Unusable(p.Position())
}

func (v *offsetsView) gone(p store.PositionView) bool {
	_, exists := v.topics[p.Topic].Partitions[p.Partition]
	return !exists && !v.hidden(p.Topic)
}

// choice says which positions a decision is about.
type choice struct {
	Topic     string  `placeholder:"TOPIC" help:"Only of this topic. Without it, all that are in quarantine."`
	Partition []int32 `placeholder:"N" help:"Only these partitions of the topic."`
}

func (c *choice) check() error {
	if len(c.Partition) > 0 && c.Topic == "" {
		return cli.Misuse("--partition needs --topic")
	}
	return nil
}

// of are the current positions that were chosen: those in quarantine, and the others where they are
// named. None is an error. Those whose logs nobody answers for are left alone: they need not keep
// the others waiting.
func (c *choice) of(v *offsetsView, healthy bool) (chosen []store.PositionView, left leftAlone, err error) {
	for _, p := range v.positions {
		named := c.Topic != "" && p.Topic == c.Topic && (len(c.Partition) == 0 || slices.Contains(c.Partition, p.Partition))
		if p.Retired || c.Topic != "" && !named {
			continue
		}
		_, answered := v.logs[partitionOf(p)]
		switch {
		case !answered && !v.gone(p):
			left = append(left, v.noAnswer(p))
		case v.unusable(p) != "" || healthy && named:
			chosen = append(chosen, p)
		}
	}
	if err := c.missing(v); err != nil {
		return nil, nil, err
	}
	if len(chosen) == 0 && len(left) > 0 {
		return nil, nil, fmt.Errorf("nothing was decided: no position that can be compared with its log is in quarantine, of those asked for: %w", left)
	}
	if len(chosen) == 0 {
		return nil, nil, errors.New("nothing was decided: no position is in quarantine, of those asked for; see allocation offsets list")
	}
	return chosen, left, nil
}

// leftAlone says of each partition about which nothing can be decided why.
type leftAlone []error

func (l leftAlone) Error() string {
	texts := make([]string, len(l))
	for i, err := range l {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// err says what to do about those that were left, when the others are decided; nil where there are
// none.
func (l leftAlone) err() error {
	if len(l) == 0 {
		return nil
	}
	return fmt.Errorf("nobody answers for the log of some partitions, and they were left alone: decide about them, by --topic and --partition, when their brokers are back: %w", l)
}

// missing says what was named and has no position.
func (c *choice) missing(v *offsetsView) error {
	var topics []string
	for _, p := range v.positions {
		if !p.Retired && !slices.Contains(topics, p.Topic) {
			topics = append(topics, p.Topic)
		}
	}
	if c.Topic != "" && !slices.Contains(topics, c.Topic) {
		return fmt.Errorf("there is no position of topic %s; there are of %s", c.Topic, cmp.Or(strings.Join(topics, ", "), "none"))
	}
	for _, n := range c.Partition {
		if !slices.ContainsFunc(v.positions, func(p store.PositionView) bool { return !p.Retired && p.Topic == c.Topic && p.Partition == n }) {
			return fmt.Errorf("there is no position of topic %s, partition %d", c.Topic, n)
		}
	}
	return nil
}
