package explain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/cmd/internal/cli"
	"allocation/store"
	"allocation/worker"
)

// RecordRoom bounds what a batch of records may unpack to when one of its records is read. The
// client that Commands connects has it.
var RecordRoom = kgo.MaxDecompressBatchBytes(64 << 20)

// inKafka is what Kafka tells of a command's partition, and of its record.
type inKafka struct {
	program  string // for what a person may type
	problem  string // why Kafka told nothing
	bounds   worker.Log
	record   *kgo.Record // nil: there is none at the offset
	unread   string      // why it was not read, though it is there
	reported int64       // the offset that the group committed; -1: none
	unusable string      // why the position cannot be used: the partition is in quarantine
	stable   int64       // the last stable offset: what comes after it waits for a transaction; -1: not known
	next     *ahead      // of a command that is the next one: the records from it on; nil: it is not
}

// ahead are the first records that wait in a partition.
type ahead struct {
	records int64
	byKey   map[string]int64
}

// What is counted of the records that wait.
const (
	mostAhead  = 1000
	aheadBytes = 1 << 20
)

// look asks Kafka. What goes wrong is a part of the answer: the database tells the rest.
func (c *Commands) look(ctx context.Context, id store.RecordID, next bool) *inKafka {
	ctx, cancel := cli.ForAnswer(ctx)
	defer cancel()
	k := &inKafka{program: c.Program.Name, reported: -1, stable: -1}
	if next {
		k.next = &ahead{byKey: map[string]int64{}}
	}
	if err := k.ask(ctx, c, id); err != nil {
		k.problem = cli.CauseOf(ctx, err).Error()
	}
	return k
}

func (k *inKafka) ask(ctx context.Context, c *Commands, id store.RecordID) error {
	client, err := c.Connect(ctx)
	if err != nil {
		return err
	}
	if err := cli.SameCluster(ctx, c.Store, client, c.Kafka); err != nil {
		return err
	}
	if err := cli.RequireTopic(ctx, client, id.Topic); err != nil {
		return err
	}
	if err := k.askGroup(ctx, c.Store, client, id); err != nil {
		return err
	}
	topics, err := worker.ListTopics(ctx, client, id.Topic)
	if err != nil {
		return err
	}
	if err := k.compare(ctx, c.Store, client, topics, id); err != nil {
		return err
	}
	if id.Offset < k.bounds.Start || id.Offset >= k.bounds.End || k.unstable(id) {
		return nil
	}
	return k.read(ctx, client, topics[id.Topic], id)
}

func (k *inKafka) askGroup(ctx context.Context, db *store.Store, client *kgo.Client, id store.RecordID) error {
	_, group, err := db.Cluster(ctx)
	if err != nil || group == "" {
		return err
	}
	offsets, err := kadm.NewClient(client).FetchOffsets(ctx, group)
	if err != nil {
		return err
	}
	if o, ok := offsets.Lookup(id.Topic, id.Partition); ok && o.Err == nil {
		k.reported = o.At
	}
	return nil
}

// compare finds out where the log is, and whether the position can be used: a worker puts the
// partition in quarantine where it cannot.
func (k *inKafka) compare(ctx context.Context, db *store.Store, client *kgo.Client, topics kadm.TopicDetails, id store.RecordID) error {
	positions, err := db.Positions(ctx)
	if err != nil {
		return err
	}
	name := worker.TopicPartition{Topic: id.Topic, Partition: id.Partition}
	answers := worker.Ask(ctx, client, topics, func(p worker.TopicPartition) bool { return p == name })
	for _, p := range positions {
		if p.Topic == id.Topic && p.Partition == id.Partition && !p.Retired {
			answers.Compare(ctx, client, map[worker.TopicPartition]worker.Position{name: p.Position()})
			if log, ok := answers.Logs[name]; ok {
				k.unusable, k.stable = log.Unusable(p.Position()), log.Stable
			}
		}
	}
	log, ok := answers.Logs[name]
	if !ok {
		if err := answers.Why(name); err != nil {
			return fmt.Errorf("nobody answers for the partition: %w", err)
		}
		return errors.New("the topic has no such partition")
	}
	k.bounds = log
	return nil
}

// read reads the record at the offset, or finds that the log has none there: it went on without, as
// where a transaction was marked or a topic was compacted. One request is enough: a broker gives
// the batch of records that has the offset, or the next, whatever its size. Of the next command, it
// counts the records from there on, as far as they came with it.
func (k *inKafka) read(ctx context.Context, client *kgo.Client, topic kadm.TopicDetail, id store.RecordID) error {
	most := int32(1)
	if k.next != nil {
		most = aheadBytes
	}
	answer, err := client.Broker(int(topic.Partitions[id.Partition].Leader)).RetriableRequest(ctx, recordRequest(topic.ID, id, most))
	if err != nil {
		return err
	}
	fetched := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(fetched.ErrorCode); err != nil {
		return err
	}
	if len(fetched.Topics) != 1 || len(fetched.Topics[0].Partitions) != 1 {
		return errors.New("the partition's leader gave no answer about it")
	}
	unpack, ok := client.OptValue(kgo.WithDecompressor).(kgo.Decompressor)
	if !ok {
		return errors.New("the Kafka client has no decompressor")
	}
	options := kgo.ProcessFetchPartitionOpts{Offset: id.Offset, Topic: id.Topic, Partition: id.Partition}
	batch, _ := kgo.ProcessFetchPartition(options, &fetched.Topics[0].Partitions[0], unpack, nil)
	for _, r := range batch.Records {
		if r.Offset == id.Offset {
			k.record = r
		}
		if !k.count(r) {
			break
		}
	}
	if k.record != nil {
		return nil
	}
	if errors.Is(batch.Err, kgo.ErrMaxDecompress) {
		k.unread = "its batch of records unpacks to more than is read here"
		return nil
	}
	return batch.Err
}

func recordRequest(topic kadm.TopicID, id store.RecordID, most int32) *kmsg.FetchRequest {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = id.Partition, id.Offset, most
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID, t.Partitions = id.Topic, topic, []kmsg.FetchRequestTopicPartition{p}
	request := kmsg.NewPtrFetchRequest()
	request.MinBytes, request.MaxBytes, request.MaxWaitMillis = 1, most, 500
	request.Topics = []kmsg.FetchRequestTopic{t}
	return request
}

// count counts a record of those that wait, and reports whether there are more to count.
func (k *inKafka) count(r *kgo.Record) (more bool) {
	if k.next == nil {
		return false
	}
	if !r.Attrs.IsControl() {
		k.next.records++
		k.next.byKey[string(r.Key)]++
	}
	return r.Offset+1 < k.bounds.End && r.Offset+1 != k.stable && k.next.records < mostAhead
}

// unstable reports whether a record waits for a producer's transaction that is open: nobody can
// read it.
func (k *inKafka) unstable(id store.RecordID) bool {
	return k.stable >= 0 && id.Offset >= k.stable && id.Offset < k.bounds.End
}

// time is when the record was produced, as it says itself.
func (k *inKafka) time() *time.Time {
	if k.record == nil {
		return nil
	}
	at := k.record.Timestamp.UTC()
	return &at
}
