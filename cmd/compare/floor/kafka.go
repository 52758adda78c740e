package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

// read hands out the commands' records until the context ends.
func read(ctx context.Context, settings contest.Settings, take func(*kgo.Record)) error {
	consumer, err := kgo.NewClient(kgo.SeedBrokers(settings.Brokers...), kgo.ConsumeTopics(settings.Commands),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(250*time.Millisecond), kgo.FetchMaxBytes(8<<20))
	if err != nil {
		return err
	}
	defer consumer.Close()
	for ctx.Err() == nil {
		consumer.PollFetches(ctx).EachRecord(take)
	}
	return nil
}

// newProducer sends events. It waits for all replicas, as is the library's default.
func newProducer(settings contest.Settings) (*kgo.Client, error) {
	return kgo.NewClient(kgo.SeedBrokers(settings.Brokers...), kgo.DefaultProduceTopic(settings.Events), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.ProducerLinger(0), kgo.MaxBufferedRecords(200_000))
}

// event is the line's event as a record.
func (l *line) event() *kgo.Record {
	id := contest.EventID(l.record.Partition, l.record.Offset)
	return &kgo.Record{Key: []byte(l.command.SKU), Value: l.payload, Headers: []kgo.RecordHeader{
		{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_type", Value: []byte(contest.AllocatedType)}, {Key: "ce_source", Value: []byte("/allocation")},
		{Key: "ce_id", Value: []byte(id)},
	}}
}
