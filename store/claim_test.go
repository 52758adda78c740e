package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/store"
	"allocation/worker"
)

func TestClaim_startsWhereTheTopicDoes(t *testing.T) {
	b := setup(t, 0)
	ask := func(topic string, partition int32) worker.ClaimRequest {
		return worker.ClaimRequest{Topic: topic, Partition: partition, TopicStart: 100}
	}
	claims, err := b.Claim(t.Context(), []worker.ClaimRequest{ask("orders", 1), ask("orders", 0)})
	require.NoError(t, err)
	require.Equal(t, int64(100), claims[0].NextOffset, "the topic is new")
	require.Equal(t, int32(1), claims[0].Source.Partition, "claims come in the order of requests")
	claims, err = b.Claim(t.Context(), []worker.ClaimRequest{ask("orders", 0), ask("orders", 2)})
	require.NoError(t, err)
	require.Equal(t, int64(100), claims[0].NextOffset, "it has a position already")
	require.Equal(t, int64(2), claims[0].Epoch)
	require.Zero(t, claims[1].NextOffset, "a partition added later starts at its beginning, wherever its log does")

	require.NoError(t, b.EnsurePositions(t.Context(), []worker.ClaimRequest{ask("ensured", 0), ask("ensured", 1)}))
	require.NoError(t, b.EnsurePositions(t.Context(), []worker.ClaimRequest{ask("ensured", 1), ask("ensured", 2)}))
	claims, err = b.Claim(t.Context(), []worker.ClaimRequest{ask("ensured", 1), ask("ensured", 2)})
	require.NoError(t, err)
	require.Equal(t, int64(100), claims[0].NextOffset, "the topic was new when it was introduced")
	require.Zero(t, claims[1].NextOffset, "it was added later")
}

func TestClaim_countsAttemptsUntilThePositionMoves(t *testing.T) {
	b := setup(t, 1)
	b.Claims = b.ClaimFor(b.Store, 1)
	b.Claims = b.ClaimFor(b.Store, 1)
	require.Equal(t, 3, b.Claims[0].Attempts)
	b.Do(add(0, "none", 1))
	require.Equal(t, 1, b.ClaimFor(b.Store, 1)[0].Attempts)
}

// A process frozen in the middle of its pipeline holds locks that no timeout of Postgres ends.
func TestClaim_endsASessionThatHoldsItsLocksAndWaitsForItsClient(t *testing.T) {
	b := setup(t, 1)
	frozen := b.Connect()
	_, err := frozen.Exec(t.Context(), `begin; select move_positions('{1}', array[(select token from positions)], '{0}', '{5}', '{0}', '{0}', '{0}')`)
	require.NoError(t, err)

	start := time.Now()
	claims := b.ClaimFor(b.Open("another"), 1)
	require.Less(t, time.Since(start), store.LockTimeout, "it must not wait for a lock timeout")
	require.Zero(t, claims[0].NextOffset, "what the frozen session wrote is gone")
	_, err = frozen.Exec(t.Context(), `commit`)
	require.Error(t, err)
}

// A session that is alive may hold locks for long, as one does that locks first, and hear from its
// client from time to time.
func TestUnblock_sparesWhoHasNotWaitedLongForItsClient(t *testing.T) {
	b := setup(t, 0)
	holder, waiter := b.Connect(), b.Connect()
	_, err := holder.Exec(t.Context(), `begin; lock table counters`)
	require.NoError(t, err)
	waited := make(chan error, 1)
	go func() {
		_, err := waiter.Exec(context.Background(), `begin; lock table counters`)
		waited <- err
	}()
	testbed.Eventually(t, b.WaitsForLock)
	pid := int32(waiter.PgConn().PID())
	ended, err := b.DB.Exec(t.Context(), store.UnblockSQL, pid, time.Hour)
	require.NoError(t, err)
	require.Zero(t, ended.RowsAffected())
	ended, err = b.DB.Exec(t.Context(), store.UnblockSQL, pid, time.Duration(0))
	require.NoError(t, err)
	require.EqualValues(t, 1, ended.RowsAffected())
	require.NoError(t, <-waited)
}

func TestSavePublished_tellsWhoLostTheClaim(t *testing.T) {
	b := setup(t, 2)
	b.Do(add(0, "none", 1), add(1, "none", 1))
	b.ClaimFor(b.Open("another"), 1)
	progress := []worker.Progress{
		{Source: b.Claims[0].Source.ID, Token: b.Claims[0].Token, Published: 1},
		{Source: b.Claims[1].Source.ID, Token: b.Claims[1].Token, Published: 1},
	}
	lost, err := b.SavePublished(t.Context(), progress)
	require.NoError(t, err)
	require.Equal(t, []int32{b.Claims[0].Source.ID}, lost)
	rows, err := b.Published(t.Context(), []int32{b.Claims[0].Source.ID, b.Claims[1].Source.ID})
	require.NoError(t, err)
	require.Equal(t, map[int32]int64{b.Claims[0].Source.ID: 0, b.Claims[1].Source.ID: 1}, rows)
}

// Partitions that have a position take no number of the sequence of positions, however often they
// are claimed: it has an end.
func TestClaim_goesOnWhereNoNumberOfAPositionIsLeft(t *testing.T) {
	b := setup(t, 2)
	for range 3 {
		b.ClaimFor(b.Store, 2)
	}
	require.Equal(t, 2, b.Count(`select last_value from positions_source_seq`), "numbers taken")
	b.Exec(`select setval('positions_source_seq', 2147483647)`)
	b.ClaimFor(b.Store, 2)
	_, err := b.Claim(t.Context(), []worker.ClaimRequest{{Topic: "commands", TopicID: [16]byte{1}, Partition: 2}})
	require.ErrorContains(t, err, "positions_source_seq", "only a new one needs a number")
}
