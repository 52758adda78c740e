package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// arena is a fresh database and fresh topics for one run of one contestant.
type arena struct {
	*lab
	database, url                 string
	db                            *pgx.Conn
	commands, events, deadLetters string
	before                        int // events that are there before anything is measured
}

// newArena is to be closed even where its error is not nil.
func (l *lab) newArena(ctx context.Context, name string) (*arena, error) {
	name = fmt.Sprintf("compare_%s_%s", l.suffix, name)
	a := &arena{lab: l, database: pgx.Identifier{name}.Sanitize(), commands: name + ".commands", events: name + ".events", deadLetters: name + ".dlq"}
	at, err := url.Parse(l.options.database)
	if err != nil || at.Scheme == "" {
		return a, errors.New("DATABASE_URL is no URL")
	}
	at.Path = "/" + name
	a.url = at.String()
	if err := a.createTopics(ctx, a.commands, a.events); err != nil {
		return a, err
	}
	// The worker has a schema of its own; the others have none.
	for _, statement := range []string{`create database ` + a.database, `alter database ` + a.database + ` set search_path = allocation, public`} {
		if _, err := a.server.Exec(ctx, statement); err != nil {
			return a, err
		}
	}
	a.db, err = pgx.Connect(ctx, a.url)
	return a, err
}

// close removes what the run left.
func (a *arena) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if a.db != nil {
		_ = a.db.Close(ctx)
	}
	_, dropping := a.server.Exec(ctx, `drop database if exists `+a.database+` with (force)`)
	_, deleting := a.admin.DeleteTopics(ctx, a.commands, a.events, a.deadLetters)
	return errors.Join(dropping, deleting)
}

// environment tells a contestant where things are, by the names that our worker has for them.
func (a *arena) environment() []string {
	return []string{
		"KAFKA_BROKERS=" + strings.Join(a.options.brokers, ","), "DATABASE_URL=" + a.url, "KAFKA_GROUP_ID=" + a.commands,
		"COMMAND_TOPICS=" + a.commands, "EVENTS_TOPIC=" + a.events, "DEAD_LETTER_TOPIC=" + a.deadLetters,
		"HTTP_ADDR=127.0.0.1:0", "LOG_LEVEL=warn",
	}
}

// send sends records to the topic of commands, keyed as all clients key them, each at its time if
// times are given, and returns when they are acknowledged.
func (a *arena) send(ctx context.Context, records int, record func(int) *kgo.Record, at func(int) time.Time) error {
	producer, err := a.client(kgo.DefaultProduceTopic(a.commands), kgo.MaxBufferedRecords(100_000), kgo.ProducerLinger(0))
	if err != nil {
		return err
	}
	defer producer.Close()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	for i := range records {
		if at != nil {
			select {
			case <-time.After(time.Until(at(i))):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		producer.Produce(ctx, record(i), func(_ *kgo.Record, err error) {
			if err != nil {
				fail(err)
			}
		})
	}
	if err := producer.Flush(ctx); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// awaitEvents waits until the topic of events has so many records more than before. It reads none
// of them, so it costs little beside what is measured.
func (a *arena) awaitEvents(ctx context.Context, p *process, records int, limit time.Duration) error {
	return await(ctx, p, limit, func(ctx context.Context) (bool, string) {
		count := 0
		ends, err := a.admin.ListEndOffsets(ctx, a.events)
		ends.Each(func(o kadm.ListedOffset) { count += int(max(0, o.Offset)) })
		return errors.Join(err, ends.Error()) == nil && count >= a.before+records, fmt.Sprintf("%d of %d events (%v)", count-a.before, records, err)
	})
}

// checkComplete checks that the database has each order once.
func (a *arena) checkComplete(ctx context.Context, c *contestant, orders int) error {
	for _, query := range []string{c.lines, c.allocated} {
		var n int
		if err := a.db.QueryRow(ctx, query).Scan(&n); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
		if n != orders {
			return fmt.Errorf("of %d orders, %q finds %d", orders, query, n)
		}
	}
	return nil
}
