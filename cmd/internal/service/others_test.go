package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/config"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
	"allocation/store"
)

// startCounters starts a worker that keeps counters, of which there is one, a.
func startCounters(t *testing.T, s *programtest.Service, of store.Service, more string) (database string) {
	t.Helper()
	s.Of = &of
	database = programtest.NewMigratedDatabase(t)
	programtest.Administer(t, database, counters.Tables+`insert into counters values ('a', 0, 1, 0, 0, 0);`+more)
	s.Names.Create(t, "--partitions=1").RequireDone(t)
	s.Start()
	return database
}

func awaitCounter(t *testing.T, database string, want int64) {
	t.Helper()
	conn := testbed.Connect(t, database)
	var value int64
	testbed.Eventually(t, func() bool {
		return conn.QueryRow(t.Context(), `select value from counters where key = 'a'`).Scan(&value) == nil && value == want
	}, "a counter of %d", want)
}

// A process takes events from topics of other services, and sends commands there.
func TestProcess_knowsOtherServices(t *testing.T) {
	s := programtest.NewService(t)
	facts, stock := testbed.Topic(t, "facts", 1), testbed.Topic(t, "stock", 1)
	s.Takes = []config.Other{{Topic: facts, TypePrefix: "stock.v1.", Types: []string{"Moved"}}}
	s.Sends = []config.Other{{Topic: stock, TypePrefix: "stock.v1.", Types: []string{"Restock"}}}
	database := startCounters(t, s, counters.Service, "")
	client, err := kgo.NewClient(kgo.SeedBrokers(testbed.Kafka(t)), kgo.ConsumeTopics(stock), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer client.Close()
	send := func(topic, kind, sequence, data string) {
		r := &kgo.Record{Topic: topic, Value: []byte(data), Headers: []kgo.RecordHeader{
			{Key: "ce_type", Value: []byte(kind)}, {Key: "ce_sequence", Value: []byte(sequence)},
		}}
		require.NoError(t, client.ProduceSync(t.Context(), r).FirstErr())
	}
	send(facts, "stock.v1.Moved", "7", `{"key":"a"}`)
	awaitCounter(t, database, 7)
	send(s.Names.Commands, "counters.v1.Refill", "", `{"key":"a","name":"screws","n":3}`)
	fetches := client.PollFetches(t.Context())
	require.NoError(t, fetches.Err())
	require.Equal(t, `{"key":"a","n":3}`, string(fetches.Records()[0].Value))
}

// What the clock makes due is sent to the service's own topic, and not again while it may wait
// there.
func TestProcess_sendsWhatIsDue(t *testing.T) {
	s := programtest.NewService(t)
	of := counters.Service
	of.Due = &store.Due{
		Command: "Add",
		SQL: `select at, key, name, json_build_object('key', key, 'n', n)::text from due
where at <= $1 and (at, name) > ($2, $3) order by at, name limit $4`,
	}
	database := startCounters(t, s, of, `
create table due (at timestamptz, key text, name text, n bigint);
grant select on due to allocation_worker;
insert into due values (now() - interval '1 hour', 'a', 'x', 1), (now() - interval '1 hour', 'a', 'y', 2),
	(now() + interval '3 seconds', 'a', 'soon', 4), (now() + interval '1 hour', 'a', 'later', 8);`)
	awaitCounter(t, database, 7)
	testbed.Eventually(t, func() bool { return s.Get("/readyz") == "200 {\"ready\":true}\n" })
}
