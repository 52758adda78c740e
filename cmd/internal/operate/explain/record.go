package explain

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
	"allocation/worker"
)

// inKafka is what Kafka tells of a command's partition, and of its record.
type inKafka struct {
	problem  string // why Kafka told nothing
	bounds   cli.Bounds
	record   *kgo.Record // nil: there is none at the offset
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

// mostAhead bounds the records that are counted by their keys.
const mostAhead = 1000

// look asks Kafka. What goes wrong is a part of the answer: the database tells the rest.
func look(ctx context.Context, p *cli.Program, db *store.Store, kafka config.Kafka, id store.RecordID, next bool) *inKafka {
	ctx, cancel := cli.ForAnswer(ctx)
	defer cancel()
	k := &inKafka{reported: -1, stable: -1}
	if next {
		k.next = &ahead{byKey: map[string]int64{}}
	}
	if err := k.ask(ctx, p, db, kafka, id); err != nil {
		k.problem = cli.CauseOf(ctx, err).Error()
	}
	return k
}

func (k *inKafka) ask(ctx context.Context, p *cli.Program, db *store.Store, kafka config.Kafka, id store.RecordID) error {
	client, err := p.OpenTopic(ctx, db, kafka, id.Topic)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	bounds, err := cli.TopicBounds(ctx, admin, id.Topic)
	if err != nil {
		return err
	}
	k.bounds = bounds[id.Partition]
	if err := k.askGroup(ctx, db, admin, id); err != nil {
		return err
	}
	if err := k.compare(ctx, db, client, id); err != nil {
		return err
	}
	if id.Offset < k.bounds.Start || id.Offset >= k.bounds.End || k.unstable(id) {
		return nil
	}
	return k.read(ctx, client, id)
}

func (k *inKafka) askGroup(ctx context.Context, db *store.Store, admin *kadm.Client, id store.RecordID) error {
	_, group, err := db.Cluster(ctx)
	if err != nil || group == "" {
		return err
	}
	offsets, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return err
	}
	if o, ok := offsets.Lookup(id.Topic, id.Partition); ok && o.Err == nil {
		k.reported = o.At
	}
	return nil
}

// compare finds out whether the position can be used: a worker puts the partition in quarantine
// where it cannot.
func (k *inKafka) compare(ctx context.Context, db *store.Store, client *kgo.Client, id store.RecordID) error {
	positions, err := db.Positions(ctx)
	if err != nil {
		return err
	}
	topics, err := worker.ListTopics(ctx, client, id.Topic)
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
	return nil
}

// read reads the record at the offset, or finds that the log has none there: it went on without, as
// where a transaction was marked or a topic was compacted. Of the next command, it counts the
// records from there on.
func (k *inKafka) read(ctx context.Context, client *kgo.Client, id store.RecordID) error {
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{id.Topic: {id.Partition: kgo.NewOffset().At(id.Offset)}})
	for {
		fetches := client.PollFetches(ctx)
		if err := errors.Join(fetches.Err(), ctx.Err()); err != nil {
			return err
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			r := iter.Next()
			if r.Offset == id.Offset && !r.Attrs.IsControl() {
				k.record = r
			}
			if r.Offset >= id.Offset && !k.count(r) {
				return nil
			}
		}
	}
}

// FindInTopics adds commands with an id or a correlation that the topics have, and the database
// does not know by it.
func (s *Servers) FindInTopics(ctx context.Context, p *cli.Program, db *store.Store, text string, since time.Time, found *store.Found) error {
	positions, err := db.Positions(ctx)
	if err != nil {
		return err
	}
	known := map[store.RecordID]bool{}
	for _, c := range found.Commands {
		known[c.ID] = true
	}
	read := map[string]bool{}
	for _, position := range positions {
		if topic := position.Topic; !position.Retired && !read[topic] {
			read[topic] = true
			if err := s.findInTopic(ctx, p, db, topic, text, since, known, found); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Servers) findInTopic(ctx context.Context, p *cli.Program, db *store.Store, topic, text string, since time.Time,
	known map[store.RecordID]bool, found *store.Found,
) error {
	client, err := p.OpenTopic(ctx, db, s.Kafka, topic)
	if err != nil {
		return err
	}
	defer client.Close()
	return cli.ReadTopic(ctx, client, topic, since, func(r *kgo.Record) error {
		id := store.RecordID{Topic: topic, Partition: r.Partition, Offset: r.Offset}
		cause := commandOf(r, p.Service.TypePrefix).Cause
		if !known[id] && (cause.CommandID == text || cause.CorrelationID == text) {
			found.Commands = append(found.Commands, store.FoundCommand{ID: id, CommandID: cause.CommandID, CorrelationID: cause.CorrelationID})
		}
		return nil
	})
}

// commandOf reads the envelope of a record.
func commandOf(r *kgo.Record, prefix string) worker.Command {
	parked := worker.ParkedRecord{Key: r.Key, Value: r.Value, Headers: r.Headers}
	return parked.Command(prefix)
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
