package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/sender"
	"allocation/outbox/pulse"
	"allocation/store"
	"allocation/worker"
)

const (
	dueEvery = time.Second
	dueMost  = 500 // at once

	// dueAgain is after how long a command is sent again that is still due. Until then it waits in
	// its topic. While the first one still waits, this doubles: what is sent would only be longer.
	dueAgain     = time.Minute
	dueAgainMost = 16 * time.Minute

	duePatience = 10 * time.Second // with Kafka
	dueRest     = 30 * time.Second // of a partition that took nothing
	dueCount    = time.Minute      // how often the topic's partitions are counted
)

// dueCommands sends the commands that the clock makes due to the service's own topic: those whose
// partition this worker has. So each is sent by one worker, and where that ends, by who has the
// partition next.
type dueCommands struct {
	db     *store.Store
	sender *sender.Sender
	logger *slog.Logger
	part   *pulse.Part
	has    func(worker.TopicPartition) bool // whether this worker has it

	kind, source string

	partitions []duePartition
	counted    time.Time // when they were

	since time.Time        // when it last began to send all that is due
	first store.DueCommand // of all that was due then
	again time.Duration    // from then until it begins anew
}

// duePartition is what is known of a partition.
type duePartition struct {
	has  bool             // this worker has it
	sent store.DueCommand // the last that was looked at
	rest time.Time        // until when nothing is sent, for it took nothing
	err  error            // why
}

// runDue sends what is due until the context ends.
func (p *Process) runDue(db *store.Store, runner *worker.Worker) func(context.Context) {
	return func(ctx context.Context) {
		due := p.settings.Service.Due
		if due == nil {
			return
		}
		to, err := sender.New(p.settings.Topics.CommandTopicNames()[0], duePatience, append(p.kafkaOptions(), kgo.MetadataMaxAge(dueCount))...)
		if err != nil {
			return // the same options made the relay's
		}
		defer to.Close()
		d := &dueCommands{
			db: db, sender: to, logger: p.logger.With("part", "due commands"), part: p.metrics.due, has: runner.Has,
			kind: p.settings.Service.TypeOf(due.Command), source: p.settings.Topics.EventSource,
		}
		for ctx.Err() == nil {
			more, err := d.send(ctx, time.Now())
			d.part.Ill(cmp.Or(err, d.ill(time.Now())))
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
	if err := d.count(ctx, now); err != nil {
		return false, err
	}
	if now.Sub(d.since) > d.again {
		if err := d.restart(ctx, now); err != nil {
			return false, err
		}
	}
	behind, some := d.look(now)
	if !some {
		return false, nil
	}
	due, err := d.db.DueCommands(ctx, now, behind, dueMost)
	if err != nil || len(due) == 0 {
		return false, err
	}
	return len(due) == dueMost, d.sendAll(ctx, due, now)
}

// count counts the partitions. Where some were added, keys have others than before.
func (d *dueCommands) count(ctx context.Context, now time.Time) error {
	if now.Sub(d.counted) <= dueCount {
		return nil
	}
	topic := d.sender.Topic()
	topics, err := worker.ListTopics(ctx, d.sender.Client(), topic)
	if err := cmp.Or(err, topics[topic].Err); err != nil {
		return err
	}
	if n := len(topics[topic].Partitions); n != len(d.partitions) {
		d.partitions = make([]duePartition, n)
	}
	d.counted = now
	return nil
}

// restart has all that is due sent again. The time until the next restart doubles where the first
// command is the one that was the first before.
func (d *dueCommands) restart(ctx context.Context, now time.Time) error {
	due, err := d.db.DueCommands(ctx, now, store.DueCommand{}, 1)
	if err != nil {
		return err
	}
	if len(due) > 0 && d.first == due[0] {
		d.again = min(2*d.again, dueAgainMost)
	} else {
		d.again = dueAgain
	}
	d.since, d.first = now, store.DueCommand{}
	if len(due) > 0 {
		d.first = due[0]
	}
	for i := range d.partitions {
		d.partitions[i].sent = store.DueCommand{}
	}
	return nil
}

// look finds what was sent least far of the partitions that this worker has and that take records.
// What is due in one that came was passed over before.
func (d *dueCommands) look(now time.Time) (behind store.DueCommand, some bool) {
	for i := range d.partitions {
		p := &d.partitions[i]
		has := d.has(worker.TopicPartition{Topic: d.sender.Topic(), Partition: int32(i)})
		if has && !p.has {
			p.sent = store.DueCommand{}
		}
		p.has = has
		if p.sends(now) && (!some || before(&p.sent, &behind)) {
			behind, some = p.sent, true
		}
	}
	return behind, some
}

// sends reports whether anything is sent to the partition now.
func (p *duePartition) sends(now time.Time) bool { return p.has && !now.Before(p.rest) }

// sendAll sends to each partition what it was not sent yet. One that takes nothing rests for a
// while, and keeps nothing from the others.
func (d *dueCommands) sendAll(ctx context.Context, due []store.DueCommand, now time.Time) error {
	type outcome struct {
		partition int32
		err       error
	}
	outcomes, sent := make(chan outcome, len(due)), 0
	for i := range due {
		partition := sender.PartitionOf(d.sender.Topic(), []byte(due[i].Key), int32(len(d.partitions)))
		if p := &d.partitions[partition]; p.sends(now) && before(&p.sent, &due[i]) {
			d.sender.Send(ctx, d.record(&due[i], now), func(err error) { outcomes <- outcome{partition, err} })
			sent++
		}
	}
	failed := map[int32]error{}
	for range sent {
		if o := <-outcomes; o.err != nil {
			failed[o.partition] = o.err
		}
	}
	var errs []error
	for i := range d.partitions {
		p := &d.partitions[i]
		if !p.sends(now) {
			continue
		}
		if err := failed[int32(i)]; err != nil {
			p.rest, p.err = now.Add(dueRest), fmt.Errorf("partition %d: %w", i, err)
			errs = append(errs, p.err)
		} else if before(&p.sent, &due[len(due)-1]) {
			p.sent = due[len(due)-1]
		}
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// ill says which partitions rest, and why; nil where none does.
func (d *dueCommands) ill(now time.Time) error {
	var errs []error
	for i := range d.partitions {
		if p := &d.partitions[i]; p.has && now.Before(p.rest) {
			errs = append(errs, p.err)
		}
	}
	return errors.Join(errs...)
}

// before reports whether one command comes before another in the order in which they are due.
func before(a, b *store.DueCommand) bool {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name)) < 0
}

// record has the time by which the command was found to be due.
func (d *dueCommands) record(c *store.DueCommand, now time.Time) *kgo.Record {
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	return &kgo.Record{
		Key: []byte(c.Key), Value: []byte(c.Data), Timestamp: now,
		Headers: []kgo.RecordHeader{
			header("content-type", "application/json"), header("ce_specversion", "1.0"), header("ce_type", d.kind), header("ce_source", d.source),
			header("ce_id", uuid.NewString()), header("ce_correlationid", c.Name),
		},
	}
}
