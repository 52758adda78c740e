package worker_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// probe is a record, and what the specification says becomes of it.
type probe struct {
	name    string
	before  []*kgo.Record // commands that it builds on
	record  *kgo.Record
	refused string   // the reason; empty where it is applied
	says    string   // what the message to people must name
	events  []string // their types
}

// place is where a record lies.
type place struct {
	topic     string
	partition int32
	offset    int64
}

func placeOf(r *kgo.Record) place { return place{r.Topic, r.Partition, r.Offset} }

// spread sends probes over the partitions, each behind what it builds on, with keys of every sort.
func (p *pipeline) spread(partitions int32, probes []probe) {
	p.t.Helper()
	producer := p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(1<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	keys := [][]byte{nil, {}, []byte("key"), {0, 0xff}}
	for i, probe := range probes {
		for _, r := range append(probe.before, probe.record) {
			if r.Topic == "" {
				r.Topic = p.commands
			}
			r.Partition = int32(i) % partitions
			r.Key = keys[rand.IntN(len(keys))]
			producer.Produce(p.t.Context(), r, func(r *kgo.Record, err error) {
				if err != nil {
					p.t.Errorf("send %s: %v", probe.name, err)
				}
			})
		}
	}
	require.NoError(p.t, producer.Flush(p.t.Context()))
}

// answers are the events and dead letters that came, by the place of their command.
type answers struct {
	events  map[place][]string
	letters map[place]*kgo.Record
}

// answers reads until every probe and all that they build on were answered: each has one event or
// dead letter at least.
func (p *pipeline) answers(probes []probe) answers {
	p.t.Helper()
	ids := p.topicIDs()
	want := 0
	for _, probe := range probes {
		want += len(probe.before) + len(probe.events)
		if probe.refused != "" {
			want++
		}
	}
	a := answers{events: map[place][]string{}, letters: map[place]*kgo.Record{}}
	for _, r := range p.await(want) {
		if r.Topic == p.letters {
			a.letters[letterPlace(r)] = r
			continue
		}
		at := eventPlace(ids, r)
		a.events[at] = append(a.events[at], strings.TrimPrefix(header(r, "ce_type"), typePrefix))
	}
	return a
}

func (p *pipeline) topicIDs() map[string]string {
	p.t.Helper()
	topics, err := kadm.NewClient(p.client).ListTopics(p.t.Context())
	require.NoError(p.t, err)
	ids := map[string]string{}
	for name, topic := range topics {
		ids[base64.RawURLEncoding.EncodeToString(topic.ID[:])] = name
	}
	return ids
}

// eventPlace reads the place of the command that caused an event from its id.
func eventPlace(topics map[string]string, r *kgo.Record) (at place) {
	topic, rest, _ := strings.Cut(header(r, "ce_id"), ".")
	at.topic = topics[topic]
	_, _ = fmt.Sscanf(rest, "%d.%d.", &at.partition, &at.offset)
	return at
}

func letterPlace(r *kgo.Record) (at place) {
	at.topic = header(r, "dlq-original-topic")
	_, _ = fmt.Sscan(header(r, "dlq-original-partition"), &at.partition)
	_, _ = fmt.Sscan(header(r, "dlq-original-offset"), &at.offset)
	return at
}
