package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// arena is a fresh database and fresh topics for one run of one contestant.
type arena struct {
	lab                           *lab
	name                          string
	url                           string
	conn                          *pgx.Conn // to its database
	commands, events, deadLetters string
}

func (l *lab) newArena(ctx context.Context, name string) (*arena, error) {
	name = fmt.Sprintf("compare_%s_%s", l.suffix, name)
	a := &arena{lab: l, name: name, commands: name + ".commands", events: name + ".events", deadLetters: name + ".dlq"}
	if err := l.createTopics(ctx, a.commands, a.events); err != nil {
		return nil, errors.Join(err, a.close(ctx))
	}
	var err error
	if a.url, err = l.createDatabase(ctx, name); err != nil {
		return nil, errors.Join(err, a.close(ctx))
	}
	if a.conn, err = pgx.Connect(ctx, a.url); err != nil {
		return nil, errors.Join(err, a.close(ctx))
	}
	return a, nil
}

// close removes what the run left.
func (a *arena) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var errs []error
	if a.conn != nil {
		errs = append(errs, a.conn.Close(ctx))
	}
	if a.url != "" {
		errs = append(errs, a.lab.dropDatabase(ctx, a.name))
	}
	_, err := a.lab.admin.DeleteTopics(ctx, a.commands, a.events, a.deadLetters)
	return errors.Join(append(errs, err)...)
}

// environment tells a contestant where things are, by the names that our worker has for them.
func (a *arena) environment() []string {
	return []string{
		"KAFKA_BROKERS=" + strings.Join(a.lab.options.brokers, ","), "DATABASE_URL=" + a.url, "KAFKA_GROUP_ID=" + a.name,
		"COMMAND_TOPIC=" + a.commands, "COMMAND_TOPICS=" + a.commands, "EVENTS_TOPIC=" + a.events, "DEAD_LETTER_TOPIC=" + a.deadLetters,
	}
}

// send sends records to the topic of commands, keyed as all clients key them, each at its time if
// times are given, and returns when they are acknowledged.
func (a *arena) send(ctx context.Context, records int, record func(int) *kgo.Record, at func(int) time.Time) error {
	producer, err := a.lab.client(kgo.DefaultProduceTopic(a.commands), kgo.MaxBufferedRecords(100_000), kgo.ProducerLinger(0))
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

// awaitEvents waits until the topic of events has so many records. It reads none of them, so it
// costs little beside what is measured.
func (a *arena) awaitEvents(ctx context.Context, p *process, records int64, limit time.Duration) error {
	return p.await(ctx, limit, func(ctx context.Context) (bool, string) {
		end, err := a.eventCount(ctx)
		return err == nil && end >= records, fmt.Sprintf("%d of %d events (%v)", end, records, err)
	})
}

func (a *arena) eventCount(ctx context.Context) (int64, error) {
	ends, err := a.lab.admin.ListEndOffsets(ctx, a.events)
	if err != nil {
		return 0, err
	}
	var count int64
	ends.Each(func(o kadm.ListedOffset) { count += max(0, o.Offset) })
	return count, ends.Error()
}

// number is what a query answers.
func (a *arena) number(ctx context.Context, query string) (int64, error) {
	var n int64
	err := a.conn.QueryRow(ctx, query).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	return n, nil
}
