package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lab is the servers.
type lab struct {
	options options
	suffix  string // tells this process's databases and topics from another's
	conn    *pgx.Conn
	admin   *kadm.Client
}

func openLab(ctx context.Context, o options) (*lab, error) {
	l := &lab{options: o, suffix: strconv.FormatInt(time.Now().Unix(), 36)}
	var err error
	if l.conn, err = pgx.Connect(ctx, o.database); err != nil {
		return nil, err
	}
	client, err := l.client()
	if err != nil {
		return nil, err
	}
	l.admin = kadm.NewClient(client)
	return l, nil
}

func (l *lab) close() {
	l.admin.Close()
	_ = l.conn.Close(context.Background())
}

// client places keys as Java's clients do, waits for all replicas, and hears soon of topics that
// were just made.
func (l *lab) client(more ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(l.options.brokers...), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.MetadataMinAge(100 * time.Millisecond),
	}, more...)...)
}

// createDatabase refuses servers whose commits are cheaper than in production.
func (l *lab) createDatabase(ctx context.Context, name string) (string, error) {
	if err := l.requireDurable(ctx); err != nil {
		return "", err
	}
	at, err := url.Parse(l.options.database)
	if err != nil || at.Scheme == "" {
		return "", fmt.Errorf("DATABASE_URL is no URL")
	}
	at.Path = "/" + name
	// The worker has a schema of its own; the others have none.
	quoted := pgx.Identifier{name}.Sanitize()
	for _, statement := range []string{`create database ` + quoted, `alter database ` + quoted + ` set search_path = allocation, public`} {
		if _, err := l.conn.Exec(ctx, statement); err != nil {
			return at.String(), err
		}
	}
	return at.String(), nil
}

func (l *lab) dropDatabase(ctx context.Context, name string) error {
	_, err := l.conn.Exec(ctx, `drop database if exists `+pgx.Identifier{name}.Sanitize()+` with (force)`)
	return err
}

func (l *lab) createTopics(ctx context.Context, names ...string) error {
	const brokersDefault = -1
	appended := "LogAppendTime" // or a time is when a producer took a record into its buffer, which may be large
	answers, err := l.admin.CreateTopics(ctx, partitions, brokersDefault, map[string]*string{"message.timestamp.type": &appended}, names...)
	if err != nil {
		return err
	}
	if err := answers.Error(); err != nil {
		return err
	}
	return l.awaitTopics(ctx, names)
}

// awaitTopics returns when every partition has a leader: a client that asks before waits seconds
// until it asks again.
func (l *lab) awaitTopics(ctx context.Context, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		found, err := l.admin.ListTopics(ctx, names...)
		if err == nil && !slices.ContainsFunc(names, func(name string) bool { return !ready(found[name]) }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("topics %v have no leaders: %w", names, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func ready(topic kadm.TopicDetail) bool {
	for _, p := range topic.Partitions {
		if p.Err != nil || p.Leader < 0 {
			return false
		}
	}
	return topic.Err == nil && len(topic.Partitions) == partitions
}
