package main

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// hanging is after which a transaction counts as one that hangs: its timeout is over for long, and
// Kafka's coordinator does not end it.
const hanging = 3 * transactionTime

// abortHanging aborts the transactions that hang, as the runbook has an operator do: Kafka gives
// nobody what comes after them. Where brokers are killed again and again, some are left.
func abortHanging(ctx context.Context, admin *kadm.Client, patience time.Duration, topics ...string) (aborted []kadm.DescribedProducer, err error) {
	known, err := admin.ListTopics(ctx, topics...)
	if err != nil {
		return nil, err
	}
	described, err := admin.DescribeProducers(ctx, known.TopicsSet())
	if err != nil {
		return nil, err
	}
	for _, p := range described.SortedProducers() {
		if p.CurrentTxnStartOffset >= 0 && time.Since(time.UnixMilli(p.LastTimestamp)) > patience {
			aborted = append(aborted, p)
			err = errors.Join(err, abort(ctx, admin, p))
		}
	}
	return aborted, err
}

func abort(ctx context.Context, admin *kadm.Client, p kadm.DescribedProducer) error {
	partition := kadm.TopicsSet{}
	partition.Add(p.Topic, p.Partition)
	answers, err := admin.WriteTxnMarkers(ctx, kadm.TxnMarkers{
		ProducerID: p.ProducerID, ProducerEpoch: p.ProducerEpoch, CoordinatorEpoch: p.CoordinatorEpoch, Topics: partition,
	})
	answers.EachPartition(func(r kadm.TxnMarkersPartitionResponse) { err = errors.Join(err, r.Err) })
	return err
}
