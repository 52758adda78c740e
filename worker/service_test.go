package worker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/outbox"
	"allocation/worker"
	"allocation/worker/cloudevents"
)

// say are events and dead letters as people write them, in the order in which they came.
func say(records []*kgo.Record, letters string) (said []string) {
	for _, r := range records {
		if r.Topic == letters {
			said = append(said, header(r, "dlq-reason")+header(r, "dlq-decision"))
			continue
		}
		said = append(said, fmt.Sprint(header(r, "ce_type"), " ", string(r.Value)))
	}
	return said
}

// Commands come and events leave. A command may tell its key only by a name, which another one
// makes.
func TestWorker_appliesCommandsAndPublishesTheirEvents(t *testing.T) {
	p := setup(t, 2)
	m := p.start()
	p.send(0, create("a", "first", 5))
	p.await(1)
	p.send(1, command("AddTo", `{"name":"first","n":-2}`))
	p.await(2)
	p.send(0, command("Add", `{"key":"a","n":-9}`))
	got := p.await(4)
	require.Equal(t, []string{`counters.v1.Made {"key":"a","value":5}`, `counters.v1.Added {"key":"a","value":3}`}, say(got, p.letters)[:2])
	require.ElementsMatch(t, []string{"below_zero", `counters.v1.Rejected {"key":"a","reason":"below_zero"}`}, say(got, p.letters)[2:])
	require.Equal(t, "0000000000000000002", header(got[1], "ce_sequence"))
	require.Equal(t, "a", string(got[1].Key))
	p.awaitCommitted(map[int32]int64{0: 2, 1: 1})
	require.Empty(t, m.NotReady(t.Context()))
	require.NoError(t, m.stop())
}

// A service takes some types of what another publishes, under that one's prefix. What it does not
// take is passed over and counted: it makes no dead letter.
func TestWorker_takesSomeOfAnotherServicesEvents(t *testing.T) {
	p := setup(t, 1)
	facts := testbed.Topic(t, "facts", 1)
	p.topics = []worker.Topic{{Name: facts, Types: cloudevents.Types{Prefix: "stock.v1.", Takes: []string{"Make"}}}}
	m := p.start()
	send := func(topic, kind string) {
		r := &kgo.Record{Topic: topic, Value: []byte(`{"key":"a","n":5}`), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte(kind)}}}
		require.NoError(t, p.client.ProduceSync(t.Context(), r).FirstErr())
	}
	send(facts, "stock.v1.Moved")
	send(facts, "stock.v2.Make")
	send(facts, "stock.v1.Make")
	require.Equal(t, []string{`counters.v1.Made {"key":"a","value":5}`}, say(p.await(1), p.letters))
	send(p.commands, "stock.v1.Make")
	require.Equal(t, "unknown_type", header(p.await(2)[1], "dlq-reason"), "its own commands have its own prefix")
	testbed.Eventually(p.t, func() bool { return m.values("commands_total")["ignored unknown"] == 2 })
}

// What it takes has the sequence that it was published with. The service may find that it is about
// nothing of its own: then it counts as ignored, too. Among its own commands there is no such type.
func TestWorker_takesAnotherServicesEventsBySequence(t *testing.T) {
	p := setup(t, 1)
	facts := testbed.Topic(t, "facts", 1)
	p.topics = []worker.Topic{{Name: facts, Types: cloudevents.Types{Prefix: "stock.v1.", Takes: []string{"Moved"}}}}
	m := p.start()
	p.send(0, create("a", "first", 5))
	p.await(1)
	moved := func(key, sequence string) *kgo.Record {
		return &kgo.Record{Value: fmt.Appendf(nil, `{"key":%q}`, key), Headers: []kgo.RecordHeader{
			{Key: "ce_type", Value: []byte("stock.v1.Moved")}, {Key: "ce_sequence", Value: []byte(sequence)},
		}}
	}
	p.sendTo(facts, 0, moved("a", "0000000000000000009"), moved("a", "0000000000000000008"), moved("other", "10"), moved("a", "+11"), moved("a", "12"))
	require.Equal(t, []string{`counters.v1.Added {"key":"a","value":9}`, `counters.v1.Added {"key":"a","value":12}`}, say(p.await(3)[1:], p.letters))
	testbed.Eventually(p.t, func() bool { return m.values("commands_total")["ignored Moved"] == 3 })
	p.send(0, command("Moved", `{"key":"a"}`))
	require.Equal(t, "unknown_type", header(p.await(4)[3], "dlq-reason"))
}

// An event that waits for its key is of its type still where its topic got another name meanwhile.
func TestWorker_takesWhatWaitsOfATopicThatWasRenamed(t *testing.T) {
	p := setup(t, 1)
	p.poison()
	takes := func(topic string) []worker.Topic {
		return []worker.Topic{{Name: topic, Types: cloudevents.Types{Prefix: "stock.v1.", Takes: []string{"Moved"}}}}
	}
	before := testbed.Topic(t, "facts", 1)
	p.topics = takes(before)
	m := p.start()
	p.send(0, create("a", "first", 5), poisonous("a", "poison"))
	p.await(2)
	p.sendTo(before, 0, &kgo.Record{Value: []byte(`{"key":"a"}`), Headers: []kgo.RecordHeader{
		{Key: "ce_type", Value: []byte("stock.v1.Moved")}, {Key: "ce_sequence", Value: []byte("12")},
	}})
	testbed.Eventually(t, func() bool { return p.number(`select count(*) from held_commands`) > 0 })
	require.NoError(t, m.stop())

	p.topics = takes(testbed.Topic(t, "facts-renamed", 1))
	p.start()
	p.decideLetters("discarding")
	require.ElementsMatch(t, []string{"discarded", `counters.v1.Added {"key":"a","value":12}`}, say(p.await(4)[2:], p.letters))
}

// A service sends commands to another one: to that one's topic, under its prefix, by a key and with
// a correlation of their own, and not before what happened earlier under the same key.
func TestWorker_sendsCommandsToAnotherService(t *testing.T) {
	p := setup(t, 1)
	stock := testbed.Topic(t, "stock", 1)
	p.others = map[string]outbox.Destination{"Restock": {Topic: stock, TypePrefix: "stock.v1."}}
	p.start()
	p.send(0, create("a", "first", 5), command("Refill", `{"key":"a","name":"screws","n":100}`), command("Add", `{"key":"a","n":-1}`))
	require.Equal(t, []string{`counters.v1.Made {"key":"a","value":5}`, `counters.v1.Added {"key":"a","value":4}`}, say(p.await(2), p.letters))

	reader := p.kafka(kgo.ConsumeTopics(stock), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(250*time.Millisecond))
	fetches := reader.PollFetches(t.Context())
	require.NoError(t, fetches.Err())
	sent := fetches.Records()
	require.Len(t, sent, 1)
	require.Equal(t, []string{`stock.v1.Restock {"key":"a","n":100}`}, say(sent, p.letters))
	require.Equal(t, "screws", string(sent[0].Key))
	require.Equal(t, []string{"screws", "refill of a", ""},
		[]string{header(sent[0], "ce_partitionkey"), header(sent[0], "ce_correlationid"), header(sent[0], "ce_sequence")})
}
