package status_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/status"
	"allocation/deploy/testbed"
	"allocation/store"
	"allocation/store/products"
)

func run(s *programtest.Service, more ...string) programtest.Outcome {
	return programtest.Run(s.T, append([]string{"status", "--kafka-brokers=" + s.Names.Server(s.T)}, more...)...)
}

// read is the status, and what needs a person, as words.
func read(s *programtest.Service, more ...string) (found status.Status, needs []string) {
	s.T.Helper()
	o := run(s, append(more, "--json")...)
	require.NoError(s.T, json.Unmarshal([]byte(o.Out), &found), o.Err)
	for _, n := range found.Needs {
		require.NotEmpty(s.T, n.Says)
		require.NotEmpty(s.T, n.Command)
		needs = append(needs, n.What)
	}
	want := cli.ExitDone
	if len(needs) > 0 {
		want = cli.ExitFailed
	}
	require.Equal(s.T, want, o.Code, o.Err)
	return found, needs
}

func TestStatus_saysWhatNeedsAPerson(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Poison()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=5")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=9")
	s.AwaitAtRest(2)
	testbed.Eventually(t, func() bool { _, needs := read(s); return len(needs) == 0 })
	found, _ := read(s)
	require.True(t, found.Schema.Fits)
	require.Len(t, found.Workers, 1)
	require.Equal(t, cli.Version(), found.Workers[0].Version)
	require.EqualValues(t, 3, found.Workers[0].Partitions)
	require.Equal(t, []status.Topic{{Topic: s.Names.Commands, Partitions: 3, States: map[string]int64{"ok": 3}}}, found.Topics)
	require.Equal(t, "waiting_lines", found.Waiting.Name)
	require.EqualValues(t, 1, found.Waiting.Count)
	require.NotNil(t, found.Waiting.Oldest)
	run(s).RequireDone(t, "1 waiting line, the oldest since ", "nothing needs a person", "3 ok", cli.Version())
	testbed.Eventually(t, func() bool { return strings.Contains(s.Get("/metrics"), "\nallocation_waiting_lines 1\n") })

	s.Send("Deallocate", "orderid=o7", "sku=CHAIR")
	s.AwaitLetters(1)
	found, needs := read(s)
	require.Equal(t, []string{"dead_letters"}, needs)
	require.EqualValues(t, 1, found.Letters.Count)
	run(s).RequireFailed(t, "1 open dead letter, the oldest since ", "\n      allocation dlq list\n", "1 thing needs a person")
	testbed.Eventually(t, func() bool { return strings.Contains(s.Get("/metrics"), "\nallocation_dead_letters_open 1\n") })

	s.Send("Allocate", "orderid=poison", "sku=CHAIR", "qty=1")
	s.AwaitLetters(2)
	found, needs = read(s)
	require.Equal(t, []string{"held", "dead_letters"}, needs)
	require.EqualValues(t, 1, found.Held.Count)
	s.DLQ("discard", "--sku=CHAIR").RequireDone(t)
	testbed.Eventually(t, func() bool { _, needs = read(s); return len(needs) == 0 }, "all is decided")

	saysWhatIsWrongWithKafka(s)
}

func saysWhatIsWrongWithKafka(s *programtest.Service) {
	s.T.Helper()
	found, needs := read(s, "--kafka-brokers=127.0.0.1:1")
	require.Equal(s.T, []string{"kafka"}, needs)
	require.Empty(s.T, found.Topics)
	require.Len(s.T, found.Workers, 1)
	run(s, "--kafka-brokers=127.0.0.1:1").RequireFailed(s.T, "Kafka does not answer at 127.0.0.1:1", "1 waiting line")

	partition := s.Busy().Partition
	require.NoError(s.T, s.Stop())
	for _, ref := range []string{"ref=b3", "ref=b4"} {
		s.Send("CreateBatch", ref, "sku=CHAIR", "qty=50")
	}
	s.Execute(`update allocation.worker_nonces set at = at - interval '1 minute'`)
	found, needs = read(s)
	require.Equal(s.T, []string{"workers"}, needs)
	require.EqualValues(s.T, 2, found.Topics[0].Lag)
	require.EqualValues(s.T, 2, found.Topics[0].LargestLag)
	s.DeleteBefore(partition, s.Busy().Position+1)
	found, needs = read(s)
	require.Equal(s.T, []string{"workers", "partitions"}, needs)
	require.Equal(s.T, map[string]int64{"ok": 2, "quarantined": 1}, found.Topics[0].States)
	require.Equal(s.T, "allocation offsets accept", found.Needs[1].Command)
}

// A worker of the version before writes a nonce without its version.
func TestStatus_doesNotKnowTheVersionOfAnOlderWorker(t *testing.T) {
	t.Parallel()
	database := programtest.NewMigratedDatabase(t)
	programtest.Administer(t, database, `set search_path = allocation; select write_nonce(gen_random_uuid(), gen_random_uuid(), 'host/1')`)
	programtest.Run(t, "status", "--kafka-brokers="+testbed.Kafka(t)).RequireDone(t, "host/1  unknown version  0 ")
}

func TestStatus_namesATransactionThatIsOpenForLong(t *testing.T) {
	t.Parallel()
	database := programtest.NewMigratedDatabase(t)
	conn := testbed.Connect(t, database)
	_, err := conn.Exec(t.Context(), `begin isolation level repeatable read; select from allocation.products`)
	require.NoError(t, err)
	o := programtest.Run(t, "status", "--json", "--kafka-brokers="+testbed.Kafka(t))
	var found status.Status
	require.NoError(t, json.Unmarshal([]byte(o.Out), &found))
	require.NotNil(t, found.Transaction)
	require.Contains(t, found.Transaction.Holder, "in a transaction since")
	require.NotContains(t, o.Out, `"transaction"`, "it is not old yet")

	db, err := store.Open(t.Context(), store.Options{Service: products.Service, URL: database})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	var needs []status.Need
	testbed.Eventually(t, func() bool {
		needs, err = status.TransactionNeeds(t.Context(), db, time.Second)
		require.NoError(t, err)
		return len(needs) == 1
	})
	require.Equal(t, "transaction", needs[0].What)
	require.Contains(t, needs[0].Says, found.Transaction.Holder)
	require.Contains(t, needs[0].Command, "pg_stat_activity")
	_, err = conn.Exec(t.Context(), `rollback`)
	require.NoError(t, err)
	needs, err = status.TransactionNeeds(t.Context(), db, 0)
	require.NoError(t, err)
	require.Empty(t, needs, "it is over")
}

// A worker that tells nothing has its partitions until its session ends.
func TestStatus_namesAWorkerThatTellsNothing(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=5")
	s.AwaitAtRest(1)
	require.NoError(t, s.Stop())
	s.Execute(`update allocation.worker_nonces set at = now() - interval '20 seconds'`)
	found, needs := read(s)
	require.Equal(t, []string{"workers"}, needs)
	require.True(t, found.Workers[0].Silent)
	require.Contains(t, found.Needs[0].Says, "and has 3 partitions")
	s.Execute(`update positions set owner = 'another'`)
	_, needs = read(s)
	require.Empty(t, needs, "it has no partitions, and is not missed")
}

func TestStatus_saysThatTheSchemaIsTooOld(t *testing.T) {
	t.Parallel()
	database := programtest.NewMigratedDatabase(t)
	programtest.Run(t, "migrate", "down", "--line=products", "--to=4", "--yes").RequireDone(t)
	o := programtest.Run(t, "status", "--kafka-brokers="+testbed.Kafka(t))
	o.RequireFailed(t, "products 4, and this program needs engine ", "\n      allocation migrate up\n")
	require.NotEmpty(t, database)
}

// An operator's login is enough.
func TestStatus_needsNoMoreThanAnOperatorsRole(t *testing.T) {
	t.Parallel()
	database := programtest.NewMigratedDatabase(t)
	name, login := programtest.NewLogin(t, database)
	programtest.Administer(t, database, "grant allocation_operator to "+name)
	programtest.UseDatabase(t, login)
	programtest.Run(t, "status", "--kafka-brokers="+testbed.Kafka(t)).RequireFailed(t, "no worker runs", "\n      allocation worker\n")
}
