package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
)

// By configuration alone, a producer and a consumer that know nothing of envelopes work with the
// service.
func TestWorker_bareMessages(t *testing.T) {
	id := "-" + uuid.NewString()
	bare, allocated := "change_batch_quantity"+id, "line_allocated"+id
	names := []string{"warehouse.commands" + id, bare, "allocation.events" + id, allocated, "warehouse.commands.dlq" + id}
	for variable, value := range map[string]string{
		"KAFKA_BROKERS": testbed.Kafka(t), "DATABASE_URL": testbed.Database(t), "KAFKA_GROUP_ID": "group" + id, "HTTP_ADDR": "127.0.0.1:0",
		"COMMAND_TOPICS": names[0] + "," + bare + "=ChangeBatchQuantity", "EVENT_ROUTES": "Allocated=" + allocated,
		"EVENTS_TOPIC": names[2], "DEAD_LETTER_TOPIC": names[4],
	} {
		t.Setenv(variable, value)
	}
	programtest.Run(t, "topics", "create", "--partitions=3").RequireDone(t)
	t.Cleanup(func() {
		_, err := testbed.Admin(t, testbed.Kafka(t)).DeleteTopics(context.Background(), names...)
		require.NoError(t, err)
	})
	programtest.Run(t, "migrate", "up").RequireDone(t)
	runWorker(t)

	for _, command := range [][]string{
		{"CreateBatch", "ref=b1", "sku=CHAIR", "qty=50"}, {"CreateBatch", "ref=b2", "sku=CHAIR", "qty=50", "eta=2030-01-01"},
		{"Allocate", "orderid=o1", "sku=CHAIR", "qty=20"}, {"Allocate", "orderid=o2", "sku=CHAIR", "qty=20"},
	} {
		programtest.Run(t, append([]string{"send"}, command...)...).RequireDone(t)
	}
	client := testbed.Reader(t, testbed.Kafka(t), allocated)
	require.Equal(t, []string{
		`{"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b1"}`,
		`{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b1"}`,
	}, values(t, client, 2))

	sent := client.ProduceSync(t.Context(), &kgo.Record{Topic: bare, Value: []byte(`{"batchref":"b1","qty":25}`)})
	require.NoError(t, sent.FirstErr())
	require.Equal(t, []string{`{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2"}`}, values(t, client, 1))
}

// runWorker runs a worker as the environment says, until the test ends.
func runWorker(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancelCause(context.Background())
	ended := make(chan programtest.Outcome, 1)
	go func() { ended <- programtest.RunWith(ctx, "", "worker") }()
	t.Cleanup(func() {
		stop(cli.ErrSignal)
		(<-ended).RequireDone(t)
	})
}

// values are those of the next records.
func values(t *testing.T, client *kgo.Client, n int) (all []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for len(all) < n {
		fetches := client.PollRecords(ctx, n-len(all))
		require.NoError(t, fetches.Err(), "%q so far", all)
		for record := range fetches.RecordsAll() {
			all = append(all, string(record.Value))
		}
	}
	return all
}
