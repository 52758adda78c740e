package service

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox/pulse"
	"allocation/store"
)

const (
	dueEvery = time.Second
	dueMost  = 500 // at once

	// dueAgain is after how long a command is sent again that is still due. Until then it waits in
	// its topic.
	dueAgain = time.Minute
)

// dueCommands sends the commands that the clock makes due to the service's own topic.
type dueCommands struct {
	db     *store.Store
	client *kgo.Client
	logger *slog.Logger
	part   *pulse.Part

	topic, kind, source string

	sent  store.DueCommand // the last one
	since time.Time        // of the first of them
}

// runDue sends what is due until the context ends.
func (p *Process) runDue(db *store.Store) func(context.Context) {
	return func(ctx context.Context) {
		due := p.settings.Service.Due
		if due == nil {
			return
		}
		client, err := kgo.NewClient(p.kafkaOptions()...)
		if err != nil {
			return // the same options made the relay's
		}
		defer client.Close()
		d := &dueCommands{
			db: db, client: client, logger: p.logger.With("part", "due commands"), part: p.metrics.due,
			topic: p.settings.Topics.CommandTopicNames()[0], kind: p.settings.Service.TypeOf(due.Command), source: p.settings.Topics.EventSource,
		}
		for ctx.Err() == nil {
			more, err := d.send(ctx, time.Now())
			d.part.Ill(err)
			if err != nil && ctx.Err() == nil {
				d.logger.Warn("commands that are due could not be sent, trying again", "error", err)
			}
			if !more {
				sleep(ctx, spread(dueEvery))
			}
		}
	}
}

// send sends what became due since the last time, and now and then all that still is. It reports
// whether there may be more.
func (d *dueCommands) send(ctx context.Context, now time.Time) (more bool, err error) {
	if now.Sub(d.since) > dueAgain {
		d.sent, d.since = store.DueCommand{}, now
	}
	due, err := d.db.DueCommands(ctx, now, d.sent, dueMost)
	if err != nil || len(due) == 0 {
		return false, err
	}
	records := make([]*kgo.Record, len(due))
	for i := range due {
		records[i] = d.record(&due[i], now)
	}
	if err := d.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return false, errors.Join(err, ctx.Err())
	}
	d.sent = due[len(due)-1]
	return len(due) == dueMost, nil
}

// record has the time by which the command was found to be due.
func (d *dueCommands) record(c *store.DueCommand, now time.Time) *kgo.Record {
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	return &kgo.Record{
		Topic: d.topic, Key: []byte(c.Key), Value: []byte(c.Data), Timestamp: now,
		Headers: []kgo.RecordHeader{
			header("content-type", "application/json"), header("ce_specversion", "1.0"), header("ce_type", d.kind), header("ce_source", d.source),
			header("ce_id", uuid.NewString()), header("ce_correlationid", c.Name),
		},
	}
}
