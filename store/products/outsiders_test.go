package products

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/store"
	"allocation/worker"
)

// refused applies commands, which must not be, and returns what is locked and how long that took.
func (b *bench) refused(commands ...worker.Command) (*worker.LockedError, time.Duration) {
	b.T.Helper()
	start := time.Now()
	_, err := b.Apply(b.T.Context(), b.Transaction(commands...))
	var locked *worker.LockedError
	require.ErrorAs(b.T, err, &locked)
	require.ErrorIs(b.T, err, worker.ErrOutage, "nothing is at fault")
	return locked, time.Since(start)
}

// Each is locked by somebody of another role, while a worker's role sees little of who that is.
func TestApply_saysWhoHasLockedWhatItNeeds(t *testing.T) {
	for name, c := range map[string]struct{ lock, what string }{
		"a product":   {`select from products where sku = 'CHAIR' for update`, "product CHAIR"},
		"a batch":     {`update batches set qty = qty + 1 where ref = 'b1'`, "batch b1 of product CHAIR"},
		"an old line": {`delete from lines`, "a line of order o1 of product CHAIR"},
		"by a share":  {`select from products where sku = 'CHAIR' for share`, "product CHAIR"},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 2)
			b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`), command(1, "CreateBatch", `{"ref":"b2","sku":"LAMP","qty":50}`),
				command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`))
			b.Store = b.AsWorker()
			outsider := b.Outsider(c.lock)

			free := func() worker.Command {
				return command(1, "Allocate", `{"orderid":"o%d","sku":"LAMP","qty":1}`, b.Offsets[1])
			}
			needs := func() worker.Command { return command(0, "Deallocate", `{"orderid":"o1","sku":"CHAIR"}`) }
			locked, took := b.refused(free(), command(0, "Allocate", `{"orderid":"o2","sku":"LAMP","qty":1}`), needs(), needs())
			require.Less(t, took, lockTimeout)
			require.Equal(t, map[int]int64{0: b.Offsets[0] + 1}, locked.From)
			require.Equal(t, c.what, locked.What)
			require.Contains(t, locked.Holder, fmt.Sprintf("process %d, ", outsider.PgConn().PID()))
			require.Contains(t, locked.Holder, `application "report", since when this role may not see: it takes pg_read_all_stats`)

			b.Do(free(), command(0, "Allocate", `{"orderid":"o2","sku":"LAMP","qty":1}`))
			locked, took = b.refused(free(), needs())
			require.Less(t, took, blockedAfter, "it is known")
			require.Equal(t, map[int]int64{0: b.Offsets[0]}, locked.From)
			b.Release(outsider)
			testbed.Eventually(t, func() bool {
				transaction := b.Transaction(free(), needs())
				applied, err := b.Apply(t.Context(), transaction)
				if err == nil {
					b.Committed(transaction, applied)
				}
				return err == nil
			})
		})
	}
}

// What is not a row's lock nobody can tell commands by.
func TestApply_namesATableThatIsLocked(t *testing.T) {
	for _, table := range []string{"lines", "products", "absences", "positions", "outbox"} {
		t.Run(table, func(t *testing.T) {
			b := setup(t, 1)
			b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`))
			b.Store = b.AsWorker()
			outsider := b.Outsider(`lock table ` + table)
			create := command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50}`)
			allocate := command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`)
			locked, _ := b.refused(create, allocate)
			require.Equal(t, "table "+table, locked.What)
			require.Empty(t, locked.From)
			if table == "absences" {
				b.Do(allocate)
			}
			b.Release(outsider)
			b.Do(create, allocate)
		})
	}
}

// A colleague that takes long is waited for.
func TestApply_waitsForASlowColleague(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`))
	url := b.Login("allocation_worker")
	b.Store = b.OpenWith(store.Options{URL: url})
	conn := b.ConnectTo(url)
	_, err := conn.Exec(t.Context(), `set application_name = 'allocation'; begin; select from products for update`)
	require.NoError(t, err)
	slow := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), `select pg_sleep(4); commit`)
		slow <- err
	}()
	testbed.Eventually(t, func() bool {
		return b.Count(`select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`) == 1
	})
	b.Do(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`))
	require.NoError(t, <-slow)
}

// A call that waited for the position of one partition would keep the others waiting.
func TestClaim_leavesOutAPositionThatAnOutsiderHasLocked(t *testing.T) {
	b := setup(t, 3)
	b.Store = b.AsWorker()
	outsider := b.Outsider(`select from positions where partition = 1 for update`)
	requests := []worker.ClaimRequest{}
	for p := range 3 {
		requests = append(requests, worker.ClaimRequest{Topic: "commands", TopicID: [16]byte{1}, Partition: int32(p)})
	}
	start := time.Now()
	claims, err := b.Claim(t.Context(), requests)
	require.Less(t, time.Since(start), lockTimeout)
	var locked *worker.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, "the position of commands, partition 1", locked.What)
	require.Equal(t, map[int]int64{1: 0}, locked.From)
	require.NotEqual(t, b.Claims[0].Token, claims[0].Token)
	require.NotEqual(t, b.Claims[2].Token, claims[2].Token)

	lost, err := b.SavePublished(t.Context(), []worker.Progress{
		{Source: b.Claims[1].Source.ID, Token: b.Claims[1].Token}, {Source: b.Claims[2].Source.ID, Token: b.Claims[2].Token}})
	require.ErrorAs(t, err, &locked)
	require.Equal(t, map[int]int64{0: 0}, locked.From)
	require.Equal(t, []int32{b.Claims[2].Source.ID}, lost, "the other was asked about")
	_, err = b.BeginProbe(t.Context(), b.Transaction().Moves[1], 1, false)
	require.ErrorAs(t, err, &locked)
	claims[1] = b.Claims[1]
	b.Claims = claims
	locked, _ = b.refused(command(0, "Allocate", `{}`))
	require.Equal(t, map[int]int64{1: 0}, locked.From)

	b.Release(outsider)
	testbed.Eventually(t, func() bool {
		claims, err = b.Claim(t.Context(), requests)
		return !errors.As(err, &locked)
	})
	require.NoError(t, err)
}
