package checker

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/migrations"
)

// TestRead_topicsAndTables: aborted records are no commands, deleted records come from the
// producers' memory, and tables are read as they are.
func TestRead_topicsAndTables(t *testing.T) {
	t.Parallel()
	run := Run{Brokers: []string{testbed.Kafka(t)}, Database: testbed.Database(t), Events: testbed.Topic(t, "events", 1), Letters: testbed.Topic(t, "letters", 1),
		Commands: map[string]string{testbed.Topic(t, "commands", 2): ""}, Routes: map[string]string{"Allocated": testbed.Topic(t, "route", 1)}, Group: "group"}
	run.Group += run.Events // the server is shared
	migrated(t, run.Database)
	var topic string
	for topic = range run.Commands {
		break
	}
	first := Record{Topic: topic, Partition: 0, Offset: 0, Time: 7, Value: []byte("deleted")}
	lost := Record{Topic: topic, Partition: 1, Offset: 0, Value: []byte("lost")}
	fill(t, run, topic)
	run.Acknowledged = slices.Values([]Record{first, lost, {Topic: topic, Offset: 1}, {Topic: topic, Offset: 4}})

	h, err := Read(t.Context(), run)
	require.NoError(t, err)
	var commands []string
	for _, p := range h.Commands {
		commands = append(commands, string(p.Record().Value))
	}
	slices.Sort(commands)
	require.Equal(t, []string{"committed", "deleted", "kept"}, commands, "the aborted record is none")
	require.Len(t, h.Lost, 1)
	require.Equal(t, "lost", string(h.Lost[0].Record().Value))
	require.Len(t, h.Routed, 1)
	require.Equal(t, int64(1), h.Partitions[slices.IndexFunc(h.Partitions, func(p Partition) bool { return p.Partition == 0 })].Start)
	require.Equal(t, []HeldKeyRow{{"CHAIR", 1, 0}}, h.Tables.HeldKeys)
	require.Equal(t, int32(1), h.Tables.Letters[0].CommandSource)
	require.Equal(t, stateOpen, h.Tables.Letters[0].State)
	require.Equal(t, sumOf("Allocated", "CHAIR", 2, []byte("{}")), h.Tables.Outbox[0].Sum)
}

func migrated(t *testing.T, url string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer db.Close()
	_, err = migrations.Up(t.Context(), db, migrations.Options{})
	require.NoError(t, err)
	for _, statement := range []string{
		`insert into positions (topic, partition, topic_id, next_offset) values ('commands', 0, gen_random_uuid(), 0)`,
		`insert into dead_letters (source, row_no, command_offset, reason, message, headers) values (1, 0, 0, 'internal', 'because', '')`,
		`insert into held_keys (key, source, row_no) values ('CHAIR', 1, 0)`,
		`insert into outbox (source, row_no, command_offset, event_no, type, key, subject, sequence, value) values (1, 1, 0, 0, 'Allocated', 'CHAIR', 'o1', 2, '{}')`,
	} {
		_, err = db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

// fill leaves a record that was deleted, one that is kept, one that was aborted, and one of a
// transaction.
func fill(t *testing.T, run Run, topic string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(run.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(topic), kgo.MetadataMinAge(100*time.Millisecond))
	require.NoError(t, err)
	defer client.Close()
	send := func(value string, end kgo.TransactionEndTry) {
		require.NoError(t, client.BeginTransaction())
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
		require.NoError(t, client.EndTransaction(t.Context(), end))
	}
	plain, err := kgo.NewClient(kgo.SeedBrokers(run.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MetadataMinAge(100*time.Millisecond))
	require.NoError(t, err)
	defer plain.Close()
	for _, r := range []*kgo.Record{{Topic: topic, Value: []byte("deleted")}, {Topic: topic, Value: []byte("kept")}, {Topic: run.Routes["Allocated"], Value: []byte("{}")}} {
		require.NoError(t, plain.ProduceSync(t.Context(), r).FirstErr())
	}
	send("aborted", kgo.TryAbort)
	send("committed", kgo.TryCommit)
	below := kadm.Offsets{}
	below.Add(kadm.Offset{Topic: topic, At: 1})
	deleted, err := kadm.NewClient(plain).DeleteRecords(t.Context(), below)
	require.NoError(t, err)
	require.NoError(t, deleted.Error())
	reported := kadm.Offsets{}
	reported.Add(kadm.Offset{Topic: topic, At: 1})
	require.Eventually(t, func() bool { // a new server has to make its topic of offsets first
		return kadm.NewClient(plain).CommitAllOffsets(t.Context(), run.Group, reported) == nil
	}, 30*time.Second, 100*time.Millisecond)
}
