package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// lab is the servers.
type lab struct {
	options options
	suffix  string // tells this process's databases and topics from another's
	server  *pgx.Conn
	admin   *kadm.Client
}

func openLab(ctx context.Context, o options) (*lab, error) {
	l := &lab{options: o, suffix: strconv.FormatInt(time.Now().Unix(), 36)}
	var err error
	if l.server, err = pgx.Connect(ctx, o.database); err != nil {
		return nil, err
	}
	client, err := l.client()
	if err != nil {
		return nil, err
	}
	l.admin = kadm.NewClient(client)
	return l, l.requireDurable(ctx)
}

func (l *lab) close() {
	l.admin.Close()
	_ = l.server.Close(context.Background())
}

// requireDurable refuses a server whose commits are cheaper than in production.
func (l *lab) requireDurable(ctx context.Context) error {
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := l.server.QueryRow(ctx, `select current_setting($1)`, name).Scan(&value); err != nil {
			return err
		}
		if value != "on" {
			return fmt.Errorf("Postgres has %s=%s; figures are worth nothing unless it is on", name, value) //nolint:staticcheck // a name
		}
	}
	return nil
}

// client places keys as Java's clients do, waits for all replicas, and hears soon of topics that
// were just made.
func (l *lab) client(more ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(l.options.brokers...), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.MetadataMinAge(100 * time.Millisecond),
	}, more...)...)
}

// createTopics returns when every partition has a leader: a client that asks before waits seconds
// until it asks again.
func (l *lab) createTopics(ctx context.Context, names ...string) error {
	const brokersDefault = -1
	appended := "LogAppendTime" // or a time is when a producer took a record into its buffer, which may be large
	answers, err := l.admin.CreateTopics(ctx, contest.Partitions, brokersDefault, map[string]*string{"message.timestamp.type": &appended}, names...)
	if err != nil {
		return err
	}
	if err := answers.Error(); err != nil {
		return err
	}
	return await(ctx, nil, 30*time.Second, func(ctx context.Context) (bool, string) {
		found, err := l.admin.ListTopics(ctx, names...)
		return err == nil && !slices.ContainsFunc(names, func(name string) bool { return !ready(found[name]) }), "topics have no leaders"
	})
}

func ready(topic kadm.TopicDetail) bool {
	for _, p := range topic.Partitions {
		if p.Err != nil || p.Leader < 0 {
			return false
		}
	}
	return topic.Err == nil && len(topic.Partitions) == contest.Partitions
}
