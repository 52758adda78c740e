package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
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

	// dueRound is how often all that is due is looked at from the first on: what came late, as a key
	// that was held, and what is due for another time.
	dueRound = time.Minute

	// dueAgain is after how long a command is sent again that is still due. Until then it waits in
	// its topic. Each time this doubles: what waits there would only be more.
	dueAgain     = time.Minute
	dueAgainMost = 16 * time.Minute

	duePatience = 5 * time.Second // with Kafka
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
	began      time.Time        // when the round did
	looked     store.DueCommand // the last one that was looked at in the round
	sent       map[string]*sentDue
}

// duePartition is what is known of a partition.
type duePartition struct {
	has bool  // this worker has it
	err error // why it took nothing: nothing is sent to it for the rest of the round
}

// sentDue is a command that was sent, by its name, until it is due no more.
type sentDue struct {
	at    time.Time     // when it was due; by another time it is due anew
	wait  time.Duration // until it was, or is, sent again
	again time.Time     // when it is sent again
	seen  time.Time     // the last round that it was due in
}

// runDue sends what is due until the context ends.
func (p *Process) runDue(db *store.Store, runner *worker.Worker) func(context.Context) {
	return func(ctx context.Context) {
		due := p.settings.Service.Due
		if due == nil {
			return
		}
		to, err := sender.New(p.settings.Topics.CommandTopicNames()[0], duePatience, append(p.kafkaOptions(), kgo.MetadataMaxAge(dueRound))...)
		if err != nil {
			return // the same options made the relay's
		}
		defer to.Close()
		d := &dueCommands{
			sent: map[string]*sentDue{}, db: db, sender: to, logger: p.logger.With("part", "due commands"), part: p.metrics.due, has: runner.Has,
			kind: p.settings.Service.TypeOf(due.Command), source: p.settings.Topics.EventSource,
		}
		for ctx.Err() == nil {
			more, err := d.send(ctx, time.Now())
			d.part.Ill(cmp.Or(err, d.ill()))
			if err != nil && ctx.Err() == nil {
				d.logger.Warn("commands that are due could not be sent, trying again", "error", err)
			}
			if !more {
				sleep(ctx, spread(dueEvery))
			}
		}
	}
}

// send sends what became due since the last time. It reports whether there may be more.
func (d *dueCommands) send(ctx context.Context, now time.Time) (more bool, err error) {
	if now.Sub(d.began) >= dueRound {
		err = d.begin(ctx, now)
	}
	if !d.look() {
		return false, err
	}
	due, failed := d.db.DueCommands(ctx, now, d.looked, dueMost)
	if failed != nil {
		return false, errors.Join(err, failed)
	}
	err = errors.Join(err, d.sendAll(ctx, due, now))
	if len(due) > 0 {
		d.looked = due[len(due)-1]
	}
	if len(due) == dueMost {
		return true, err
	}
	maps.DeleteFunc(d.sent, func(_ string, s *sentDue) bool { return !s.seen.Equal(d.began) }) // they are due no more
	return false, err
}

// begin begins a round, and counts the partitions. Where that cannot be, it goes on with those that
// it knows.
func (d *dueCommands) begin(ctx context.Context, now time.Time) error {
	topic := d.sender.Topic()
	topics, err := worker.ListTopics(ctx, d.sender.Client(), topic)
	n := len(d.partitions)
	if err = cmp.Or(err, topics[topic].Err); err == nil {
		n = len(topics[topic].Partitions)
	}
	if n > 0 {
		d.partitions, d.began, d.looked = make([]duePartition, n), now, store.DueCommand{}
	}
	return err
}

// look finds which partitions this worker has, and reports whether there are any. Where one came,
// all is looked at again: what is due there was passed over.
func (d *dueCommands) look() (some bool) {
	for i := range d.partitions {
		p := &d.partitions[i]
		has := d.has(worker.TopicPartition{Topic: d.sender.Topic(), Partition: int32(i)})
		if has && !p.has {
			d.looked = store.DueCommand{}
		}
		p.has = has
		some = some || has
	}
	return some
}

// sendAll sends what is not on its way. A partition that takes nothing rests until the next round:
// so the others wait for it once a round, for as long as there is patience.
func (d *dueCommands) sendAll(ctx context.Context, due []store.DueCommand, now time.Time) error {
	type outcome struct {
		command   *store.DueCommand
		partition int32
		err       error
	}
	outcomes, waits := make(chan outcome, len(due)), 0
	for i := range due {
		c := &due[i]
		partition := sender.PartitionOf(d.sender.Topic(), []byte(c.Key), int32(len(d.partitions)))
		if p := &d.partitions[partition]; p.has && d.wants(c, now) && p.err == nil {
			d.sender.Send(ctx, d.record(c), func(err error) { outcomes <- outcome{c, partition, err} })
			waits++
		}
	}
	failed := map[int32]error{}
	for range waits {
		if o := <-outcomes; o.err != nil {
			failed[o.partition] = o.err
		} else {
			d.note(o.command, now)
		}
	}
	var errs []error
	for partition, err := range failed {
		err = fmt.Errorf("partition %d: %w", partition, err)
		d.partitions[partition].err = err
		errs = append(errs, err)
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// wants reports whether a command that is due is to be sent.
func (d *dueCommands) wants(c *store.DueCommand, now time.Time) bool {
	s := d.sent[c.Name]
	if s == nil || !s.at.Equal(c.At) {
		return true
	}
	s.seen = d.began
	return !now.Before(s.again)
}

// note notes that a command was sent.
func (d *dueCommands) note(c *store.DueCommand, now time.Time) {
	s := d.sent[c.Name]
	if s == nil || !s.at.Equal(c.At) {
		s = &sentDue{at: c.At, wait: dueAgain / 2}
		d.sent[c.Name] = s
	}
	s.wait = min(2*s.wait, dueAgainMost)
	s.again, s.seen = now.Add(s.wait), d.began
}

// ill says which partitions took nothing; nil where all do.
func (d *dueCommands) ill() error {
	var errs []error
	for i := range d.partitions {
		if p := &d.partitions[i]; p.has {
			errs = append(errs, p.err)
		}
	}
	return errors.Join(errs...)
}

// record has the time of now, by which the command was due.
func (d *dueCommands) record(c *store.DueCommand) *kgo.Record {
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	return &kgo.Record{
		Key: []byte(c.Key), Value: []byte(c.Data), Timestamp: time.Now(),
		Headers: []kgo.RecordHeader{
			header("content-type", "application/json"), header("ce_specversion", "1.0"), header("ce_type", d.kind), header("ce_source", d.source),
			header("ce_id", uuid.NewString()), header("ce_correlationid", c.Name),
		},
	}
}
