package incidents

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
)

func TestIncident_aProductIsHeld(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Poison()
	s.Send("Allocate", "orderid=poison-1", "sku=CHAIR", "qty=1", "--id=order-1")
	s.AwaitLetters(1, "--reason=internal")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=2", "--id=order-2")
	s.Send("Allocate", "orderid=o3", "sku=CHAIR", "qty=2", "--id=order-3")
	awaitReported(s, 5)
	requireAnswer(s, "A product is held", cli.ExitDone)
}

// Records were deleted before they were applied.
func TestIncident_aPartitionIsInQuarantine(t *testing.T) {
	t.Parallel()
	s := shop(t)
	awaitReported(s, 2)
	busy := s.Busy()
	require.NoError(t, s.Stop())
	for i := range 4 {
		s.Send("Allocate", fmt.Sprint("orderid=o", i), "sku=CHAIR", "qty=1")
	}
	s.DeleteBefore(busy.Partition, busy.Position+2)
	s.Start()
	testbed.Eventually(t, func() bool { return strings.Contains(s.Get("/metrics"), "allocation_partitions_quarantined 1\n") })
	requireAnswer(s, "A partition is in quarantine", cli.ExitDone)
}

// Each line of one product takes long, here until the test lets it go on. Others share its
// partition.
func TestIncident_aPartitionLagsBehindASlowProduct(t *testing.T) {
	t.Parallel()
	s := programtest.NewService(t)
	s.SetUp("1")
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("CreateBatch", "ref=b7", "sku=DESK", "qty=50")
	awaitReported(s, 2)
	s.Execute(`
create function slow() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(1); return new; end $$;
create trigger slow before insert on lines for each row when (new.sku = 'CHAIR') execute function slow()`)
	// The session is busy: workers end one that holds them up and only waits for its client.
	conn := testbed.Connect(t, s.DatabaseURL())
	_, err := conn.Exec(t.Context(), `select pg_advisory_lock(1)`)
	require.NoError(t, err)
	ctx, letGo := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	busy.Go(func() { _, _ = conn.Exec(ctx, `select pg_sleep(3600)`) })
	for i := range 5 {
		s.Send("Allocate", fmt.Sprint("orderid=o", i+1), "sku=CHAIR", "qty=1", fmt.Sprint("--id=order-", i+1))
	}
	s.Send("Allocate", "orderid=o7", "sku=DESK", "qty=1", "--id=order-7")
	requireAnswer(s, "A slow product", cli.ExitDone)
	letGo()
	busy.Wait()
	awaitReported(s, 8)
}

func TestIncident_aPartitionLagsBehindAnOpenTransaction(t *testing.T) {
	t.Parallel()
	s := shop(t)
	awaitReported(s, 2)
	producer := testbed.Client(t, s.Names.Server(t), kgo.TransactionalID(s.Group), kgo.TransactionTimeout(10*time.Minute))
	require.NoError(t, producer.BeginTransaction())
	require.NoError(t, producer.ProduceSync(t.Context(), allocate(s, "o1")).FirstErr())
	for i := range 3 {
		s.Send("Allocate", fmt.Sprint("orderid=o", i+2), "sku=CHAIR", "qty=1", fmt.Sprint("--id=order-", i+2))
	}
	requireAnswer(s, "An open transaction", cli.ExitDone)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, producer.EndTransaction(ctx, kgo.TryAbort))
	awaitReported(s, 7) // the end of the transaction is a record, too
}

func allocate(s *programtest.Service, order string) *kgo.Record {
	return &kgo.Record{
		Topic: s.Names.Commands, Key: []byte("CHAIR"), Value: fmt.Appendf(nil, `{"orderid":%q,"sku":"CHAIR","qty":1}`, order),
		Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}},
	}
}
