package checker

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// TestRead_topicsAndTables: aborted records are no commands, what Kafka lost is noted, tables are
// read as they are, and a log whose beginning was deleted is refused.
func TestRead_topicsAndTables(t *testing.T) {
	t.Parallel()
	topic := testbed.Topic(t, "commands", 2)
	run := Run{Brokers: []string{testbed.Kafka(t)}, Database: testbed.Migrated(t), Events: testbed.Topic(t, "events", 1), Letters: testbed.Topic(t, "letters", 1),
		Commands: map[string]string{topic: ""}, Group: "group"}
	run.Group += run.Events // the server is shared
	fillTables(t, run.Database)
	plain := fillTopic(t, run, topic)
	lost := Record{Topic: topic, Partition: 1}
	run.Acknowledged = slices.Values([]Record{{Topic: topic}, lost, {Topic: topic, Offset: 3}})

	h, err := Read(t.Context(), run)
	require.NoError(t, err)
	require.Len(t, h.Commands, 2, "the aborted record is none")
	require.Equal(t, "kept", string(h.Commands[0].Record().Value))
	require.Equal(t, "committed", string(h.Commands[1].Record().Value))
	require.Equal(t, []Record{lost}, h.Lost)
	require.Equal(t, []HeldKeyRow{{"CHAIR", 1, 0}}, h.Tables.HeldKeys)
	require.Equal(t, int32(1), h.Tables.Letters[0].CommandSource)
	require.Equal(t, stateOpen, h.Tables.Letters[0].State)
	require.Equal(t, sumOf("Allocated", "CHAIR", 2, []byte("{}")), h.Tables.Outbox[0].Sum)

	below := kadm.Offsets{}
	below.Add(kadm.Offset{Topic: topic, At: 1})
	deleted, err := kadm.NewClient(plain).DeleteRecords(t.Context(), below)
	require.NoError(t, err)
	require.NoError(t, deleted.Error())
	_, err = Read(t.Context(), run)
	require.ErrorContains(t, err, "partition 0 begins at 1: commands were deleted")
}

func fillTables(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	for _, statement := range []string{
		`insert into positions (topic, partition, topic_id, next_offset) values ('commands', 0, gen_random_uuid(), 0)`,
		`insert into dead_letters (source, row_no, command_offset, reason, message, headers) values (1, 0, 0, 'internal', 'because', '')`,
		`insert into held_keys (key, source, row_no) values ('CHAIR', 1, 0)`,
		`insert into outbox (source, row_no, command_offset, event_no, type, key, subject, sequence, value) values (1, 1, 0, 0, 'Allocated', 'CHAIR', 'o1', 2, '{}')`,
	} {
		_, err = conn.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

// fillTopic leaves a record that is kept, one that was aborted, and one of a transaction.
func fillTopic(t *testing.T, run Run, topic string) (plain *kgo.Client) {
	t.Helper()
	connect := func(more ...kgo.Opt) *kgo.Client {
		client, err := kgo.NewClient(append(more, kgo.SeedBrokers(run.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MetadataMinAge(100*time.Millisecond))...)
		require.NoError(t, err)
		t.Cleanup(client.Close)
		return client
	}
	plain = connect()
	require.NoError(t, plain.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("kept")}).FirstErr())
	client := connect(kgo.TransactionalID(topic))
	for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		value := map[kgo.TransactionEndTry]string{kgo.TryAbort: "aborted", kgo.TryCommit: "committed"}[end]
		require.NoError(t, client.BeginTransaction())
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
		require.NoError(t, client.EndTransaction(t.Context(), end))
	}
	reported := kadm.Offsets{}
	reported.Add(kadm.Offset{Topic: topic, At: 1})
	testbed.Eventually(t, func() bool { // a new server has to make its topic of offsets first
		return kadm.NewClient(plain).CommitAllOffsets(t.Context(), run.Group, reported) == nil
	})
	return plain
}
