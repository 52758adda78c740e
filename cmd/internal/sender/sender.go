// Package sender sends commands that may come twice: who applies them takes them once, or finds
// that there is nothing left to do.
//
// So it can do without Kafka's producer ids, with which a client waits for ever: for a partition
// that has no leader, behind an id that was denied to it, and for a topic that was made again.
package sender

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Sender sends records to one topic. Those with the same key go to one partition, the one that
// other clients of Kafka send them to.
type Sender struct {
	client *kgo.Client
	topic  string

	partitions atomic.Int32 // of the topic; 0: not known yet
	purging    atomic.Bool
}

// New makes one whose records fail when Kafka has not acknowledged them for a time. Such a record
// may have been written all the same.
func New(topic string, patience time.Duration, options ...kgo.Opt) (*Sender, error) {
	s := &Sender{topic: topic}
	var err error
	s.client, err = kgo.NewClient(slices.Concat(options, []kgo.Opt{
		kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordDeliveryTimeout(patience), kgo.ProducerLinger(0),
		kgo.RecordPartitioner(&counter{kgo.StickyKeyPartitioner(nil), &s.partitions}),
	})...)
	return s, err
}

// Client is what it sends with.
func (s *Sender) Client() *kgo.Client { return s.client }

// Topic is its name.
func (s *Sender) Topic() string { return s.topic }

// Close fails what is not acknowledged.
func (s *Sender) Close() { s.client.Close() }

// PartitionOf is where records with a key go; -1 where nobody knows yet how many there are.
func (s *Sender) PartitionOf(key []byte) int32 {
	n := s.partitions.Load()
	if n == 0 {
		return -1
	}
	return PartitionOf(s.topic, key, n)
}

// PartitionOf is where records with a key go in a topic of so many partitions.
func PartitionOf(topic string, key []byte, partitions int32) int32 {
	return int32(kgo.StickyKeyPartitioner(nil).ForTopic(topic).Partition(&kgo.Record{Key: key}, int(partitions)))
}

// Send sends a record, and says in the end whether all replicas in sync have it. It fails at once
// where too many wait.
func (s *Sender) Send(ctx context.Context, r *kgo.Record, done func(error)) {
	r.Topic = s.topic
	s.client.TryProduce(ctx, r, func(_ *kgo.Record, err error) {
		if errors.Is(err, kerr.UnknownTopicID) && s.purging.CompareAndSwap(false, true) {
			go s.purge()
		}
		done(err)
	})
}

// purge forgets the topic, which was deleted and made again: the client keeps its first id.
func (s *Sender) purge() {
	s.client.PurgeTopicsFromProducing(s.topic)
	s.purging.Store(false)
}

// counter is a partitioner that notes how many partitions there are.
type counter struct {
	kgo.Partitioner
	partitions *atomic.Int32
}

func (c *counter) ForTopic(topic string) kgo.TopicPartitioner {
	return &topicCounter{c.Partitioner.ForTopic(topic), c.partitions}
}

type topicCounter struct {
	kgo.TopicPartitioner
	partitions *atomic.Int32
}

func (t *topicCounter) Partition(r *kgo.Record, n int) int {
	t.partitions.Store(int32(n))
	return t.TopicPartitioner.Partition(r, n)
}
