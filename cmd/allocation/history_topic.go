package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/store/products/verify"
)

// historyTopic reads a topic from its start to where it ends now.
type historyTopic struct {
	client *kgo.Client
	topic  string
	events int64 // of products, read so far
}

// historyOptions bound what the client holds in memory, however large the topic is.
func historyOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.FetchMaxBytes(4 << 20), kgo.FetchMaxPartitionBytes(1 << 20), kgo.MaxConcurrentFetches(2),
		kgo.KeepControlRecords(), // a topic may end with one
	}
}

// read calls take with each event that has a sequence.
func (h *historyTopic) read(ctx context.Context, take func(verify.Event) error) error {
	return h.each(ctx, func(r *kgo.Record) error {
		e, ok := verifiedEvent(r)
		if !ok {
			return nil
		}
		h.events++
		return take(e)
	})
}

// each calls take with each record, those of a partition in order.
func (h *historyTopic) each(ctx context.Context, take func(*kgo.Record) error) error {
	left, from, err := h.bounds(ctx)
	if err != nil || len(left) == 0 {
		return err
	}
	partitions := map[string][]int32{h.topic: nil}
	for partition := range left {
		partitions[h.topic] = append(partitions[h.topic], partition)
	}
	h.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{h.topic: from})
	defer h.client.RemoveConsumePartitions(partitions)
	for len(left) > 0 {
		fetches := h.client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("read %s: %w", h.topic, err)
		}
		for _, e := range fetches.Errors() {
			return fmt.Errorf("read %s, partition %d: %w", e.Topic, e.Partition, e.Err)
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			r := iter.Next()
			end, waits := left[r.Partition]
			if !waits {
				continue // it was read to its end
			}
			if r.Offset+1 >= end {
				delete(left, r.Partition)
			}
			if r.Offset >= end || r.Attrs.IsControl() {
				continue
			}
			if err := take(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// bounds are where the partitions that hold anything end, and where they start.
func (h *historyTopic) bounds(ctx context.Context) (ends map[int32]int64, from map[int32]kgo.Offset, err error) {
	admin := kadm.NewClient(h.client)
	starts, err := admin.ListStartOffsets(ctx, h.topic)
	if err == nil {
		err = starts.Error()
	}
	var listed kadm.ListedOffsets
	if err == nil {
		listed, err = admin.ListEndOffsets(ctx, h.topic)
	}
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list offsets of %s: %w", h.topic, err)
	}
	ends, from = map[int32]int64{}, map[int32]kgo.Offset{}
	listed.Each(func(end kadm.ListedOffset) {
		if start, ok := starts.Lookup(h.topic, end.Partition); ok && start.Offset < end.Offset {
			ends[end.Partition], from[end.Partition] = end.Offset, kgo.NewOffset().At(start.Offset)
		}
	})
	return ends, from, nil
}

// verifiedEvent is a record as an event; not ok where it changed no product.
func verifiedEvent(r *kgo.Record) (e verify.Event, ok bool) {
	e = verify.Event{SKU: string(r.Key), Data: r.Value, Partition: r.Partition}
	for _, h := range r.Headers {
		switch h.Key {
		case "ce_sequence":
			e.Sequence, _ = strconv.ParseInt(string(h.Value), 10, 64)
		case "ce_type":
			e.Type = strings.TrimPrefix(string(h.Value), typePrefix)
		}
	}
	return e, e.Sequence > 0
}
