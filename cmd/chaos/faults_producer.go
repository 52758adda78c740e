package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/await"
)

// hangTransaction has a producer leave a transaction open, with a few commands: nothing behind them
// is committed until somebody ends it.
func (h *hit) hangTransaction(ctx context.Context) error {
	const patience = 5 * time.Second
	name := fmt.Sprintf("hung-%d", h.random.Uint32())
	trying, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := h.beginTransaction(trying, name); err != nil {
		return fmt.Errorf("%w: %w", errSkipped, err)
	}
	h.rest(ctx, time.Second, 15*time.Second)
	return h.endTransaction(context.WithoutCancel(ctx), name)
}

func (h *hit) producer(transaction string) (*kgo.Client, error) {
	const maxTime = 2 * time.Minute
	return kgo.NewClient(kgo.SeedBrokers(h.cluster.Brokers()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(transaction),
		kgo.TransactionTimeout(maxTime), kgo.MetadataMinAge(200*time.Millisecond))
}

func (h *hit) beginTransaction(ctx context.Context, name string) error {
	client, err := h.producer(name)
	if err != nil {
		return err
	}
	defer client.Close() // which ends nothing
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	records := make([]*kgo.Record, 1+h.random.IntN(20))
	partition := h.random.Int32N(commandPartitions)
	for i := range records {
		records[i] = &kgo.Record{Topic: commandTopic, Partition: partition, Value: []byte("never committed")}
	}
	h.load.aborted.Add(int64(len(records)))
	return client.ProduceSync(ctx, records...).FirstErr()
}

// endTransaction has a producer of the same name take over, which aborts what is open. Where all
// brokers are away meanwhile, it tries again.
func (h *hit) endTransaction(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return await.Ready(ctx, nil, func(ctx context.Context) error {
		client, err := h.producer(name)
		if err != nil {
			return err
		}
		defer client.Close()
		_, _, err = client.ProducerID(ctx)
		return err
	})
}

// sendPacked sends a batch that unpacks to more than a worker has room for: two commands, and
// between them a record of very many zeros.
func (h *hit) sendPacked(ctx context.Context) error {
	const least, most = 34 << 20, 60 << 20 // bytes
	sku := fmt.Sprintf("packed-%d", h.random.Uint32())
	record := func(commandType, value string, zeros int) testbed.PackedRecord {
		return testbed.PackedRecord{Key: []byte(sku), Value: []byte(value), Zeros: zeros, Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1." + commandType)}}}
	}
	batch := testbed.PackedBatch{Codec: kgo.CodecZstd, Records: []testbed.PackedRecord{
		record("CreateBatch", fmt.Sprintf(`{"ref":%q,"sku":%q,"qty":5}`, sku, sku), 0),
		record("Allocate", "", least+h.random.IntN(most-least)),
		record("Allocate", fmt.Sprintf(`{"orderid":"o","sku":%q,"qty":1}`, sku), 0),
	}}
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, _, err := batch.Send(ctx, h.cluster.Brokers(), commandTopic, h.random.Int32N(commandPartitions)); err != nil {
		return fmt.Errorf("%w: %w", errSkipped, err)
	}
	return nil
}
