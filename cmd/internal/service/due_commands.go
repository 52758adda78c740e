package service

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox/pulse"
	"allocation/store"
	"allocation/worker"
)

const (
	dueEvery = time.Second
	dueMost  = 500 // at once

	// dueAgain is after how long a command is sent again that is still due. Until then it waits in
	// its topic.
	dueAgain = time.Minute
)

// dueCommands sends the commands that the clock makes due to the service's own topic: those whose
// partition this worker has. So each is sent by one worker, and where that ends, by who has the
// partition next.
type dueCommands struct {
	db     *store.Store
	client *kgo.Client
	logger *slog.Logger
	part   *pulse.Part
	has    func(worker.TopicPartition) bool // whether this worker has it

	topic, kind, source string

	partitions []bool           // which of the topic's this worker has
	sent       store.DueCommand // the last one
	since      time.Time        // of the first of them
}

// runDue sends what is due until the context ends.
func (p *Process) runDue(db *store.Store, runner *worker.Worker) func(context.Context) {
	return func(ctx context.Context) {
		due := p.settings.Service.Due
		if due == nil {
			return
		}
		client, err := kgo.NewClient(append(p.kafkaOptions(), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
		if err != nil {
			return // the same options made the relay's
		}
		defer client.Close()
		d := &dueCommands{
			db: db, client: client, logger: p.logger.With("part", "due commands"), part: p.metrics.due, has: runner.Has,
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

// send sends what became due since the last time, and now and then all that still is, as when
// another partition came. It reports whether there may be more.
func (d *dueCommands) send(ctx context.Context, now time.Time) (more bool, err error) {
	if now.Sub(d.since) > dueAgain {
		topics, err := worker.ListTopics(ctx, d.client, d.topic)
		if err := cmp.Or(err, topics[d.topic].Err); err != nil {
			return false, err
		}
		d.partitions, d.since, d.sent = make([]bool, len(topics[d.topic].Partitions)), now, store.DueCommand{}
	}
	if !d.hasSome() {
		return false, nil
	}
	due, err := d.db.DueCommands(ctx, now, d.sent, dueMost)
	if err != nil || len(due) == 0 {
		return false, err
	}
	var records []*kgo.Record
	for i := range due {
		if r := d.record(&due[i], now); d.partitions[r.Partition] {
			records = append(records, r)
		}
	}
	if err := d.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return false, errors.Join(err, ctx.Err())
	}
	d.sent = due[len(due)-1]
	return len(due) == dueMost, nil
}

// hasSome looks which partitions this worker has, and reports whether there are any. What is due in
// one that came was passed over before.
func (d *dueCommands) hasSome() (some bool) {
	for i, had := range d.partitions {
		has := d.has(worker.TopicPartition{Topic: d.topic, Partition: int32(i)})
		if has && !had {
			d.sent = store.DueCommand{}
		}
		d.partitions[i] = has
		some = some || has
	}
	return some
}

// partitionOf is where Kafka's clients send a key.
func (d *dueCommands) partitionOf(r *kgo.Record) int32 {
	return int32(kgo.StickyKeyPartitioner(nil).ForTopic(d.topic).Partition(r, len(d.partitions)))
}

// record has the time by which the command was found to be due.
func (d *dueCommands) record(c *store.DueCommand, now time.Time) *kgo.Record {
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	r := &kgo.Record{
		Topic: d.topic, Key: []byte(c.Key), Value: []byte(c.Data), Timestamp: now,
		Headers: []kgo.RecordHeader{
			header("content-type", "application/json"), header("ce_specversion", "1.0"), header("ce_type", d.kind), header("ce_source", d.source),
			header("ce_id", uuid.NewString()), header("ce_correlationid", c.Name),
		},
	}
	r.Partition = d.partitionOf(r)
	return r
}
