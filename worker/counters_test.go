package worker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
	"allocation/outbox"
	"allocation/worker"
)

// setupCounters is a pipeline of another service: a counter for each key.
func setupCounters(t *testing.T, partitions int32) *pipeline {
	t.Helper()
	p := setup(t, partitions)
	p.service = counters.Service
	p.query(counters.Tables)
	return p
}

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

// The engine knows no product: another service's commands come, and its events leave, in the same
// way. A command may tell its key only by a name, which another one makes.
func TestWorker_runsAnotherService(t *testing.T) {
	p := setupCounters(t, 2)
	p.start()
	p.send(0, "Make", `{"key":"a","name":"first","n":5}`)
	p.await(1)
	p.send(1, "AddTo", `{"name":"first","n":-2}`)
	p.await(2)
	p.send(0, "Add", `{"key":"a","n":-9}`)
	got := p.await(4)
	require.Equal(t, []string{`counters.v1.Made {"key":"a","value":5}`, `counters.v1.Added {"key":"a","value":3}`}, say(got, p.letters)[:2])
	require.ElementsMatch(t, []string{"below_zero", `counters.v1.Rejected {"key":"a","reason":"below_zero"}`}, say(got, p.letters)[2:])
	require.Equal(t, "0000000000000000002", header(got[1], "ce_sequence"))
	require.Equal(t, "a", string(got[1].Key))
	p.awaitCommitted(map[int32]int64{0: 2, 1: 1})
}

// A command that fails holds its key: what comes for it waits, by whatever partition and name, and
// is applied in order after an operator's decision.
func TestWorker_holdsAKeyOfAnotherService(t *testing.T) {
	p := setupCounters(t, 2)
	p.query(`
create function odd() returns trigger language plpgsql as $$ begin if new.value = 13 then raise exception 'odd'; end if; return new; end $$;
create trigger odd before insert or update on counters for each row execute function odd()`)
	p.start()
	p.send(0, "Make", `{"key":"a","name":"first","n":10}`)
	p.send(0, "Make", `{"key":"b","name":"other","n":10}`)
	p.send(0, "Add", `{"key":"a","n":3}`) // it fails
	got := p.await(3)
	require.Equal(t, []string{"internal"}, say(letters(got, p.letters), p.letters))

	p.send(0, "Make", `{"key":"a","name":"second","n":100}`)
	p.send(0, "Add", `{"key":"b","n":1}`)
	p.await(4)
	p.awaitCommitted(map[int32]int64{0: 5, 1: 0})
	p.send(1, "AddTo", `{"name":"second","n":1}`) // of a name that a command makes which waits
	p.send(1, "AddTo", `{"name":"first","n":2}`)
	p.send(1, "Add", `{"key":"b","n":1}`)
	got = p.await(5)
	require.Equal(t, `counters.v1.Added {"key":"b","value":12}`, say(got, p.letters)[4])
	p.awaitCommitted(map[int32]int64{0: 5, 1: 3})

	p.query(`drop trigger odd on counters`)
	p.decideLetters("retrying")
	got = p.await(10)
	require.Equal(t, "retried", say(letters(got, p.letters), p.letters)[1])
	var values []string
	for _, r := range got[5:] {
		if r.Topic == p.events {
			values = append(values, string(r.Value))
		}
	}
	require.Equal(t, []string{
		`{"key":"a","value":13}`, `{"key":"a","value":113}`, `{"key":"a","value":114}`, `{"key":"a","value":116}`,
	}, values, "what waited is applied in order")
}

// A service takes some types of what another publishes, under that one's prefix. What it does not
// take is passed over and counted: it makes no dead letter.
func TestWorker_takesSomeOfAnotherServicesEvents(t *testing.T) {
	p := setupCounters(t, 1)
	facts := testbed.Topic(t, "facts", 1)
	p.topics = []worker.Topic{{Name: facts, Prefix: "stock.v1.", Takes: []string{"Make"}}}
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
	p.eventually(noticed, func() bool { return m.outcomes("ignored") == 2 })
}

// outcomes is how many commands came to an outcome.
func (m *member) outcomes(outcome string) (n float64) {
	families, _ := m.metrics.Gather()
	for _, f := range families {
		for _, s := range f.GetMetric() {
			if f.GetName() == "commands_total" && s.GetLabel()[0].GetValue() == outcome {
				n += s.GetCounter().GetValue()
			}
		}
	}
	return n
}

// A service sends commands to another one: to that one's topic, under its prefix, by a key and with
// a correlation of their own, and not before what happened earlier under the same key.
func TestWorker_sendsCommandsToAnotherService(t *testing.T) {
	p := setupCounters(t, 1)
	stock := testbed.Topic(t, "stock", 1)
	p.others = map[string]outbox.Destination{"Restock": {Topic: stock, TypePrefix: "stock.v1."}}
	p.start()
	p.send(0, "Make", `{"key":"a","n":5}`)
	p.send(0, "Refill", `{"key":"a","name":"screws","n":100}`)
	p.send(0, "Add", `{"key":"a","n":-1}`)
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
