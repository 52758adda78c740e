package store

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// afterLoad does something when a transaction has read what its commands need, and has written
// nothing yet.
type afterLoad struct {
	once sync.Once
	do   func()
}

func (a *afterLoad) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) { a.once.Do(a.do) }

func (*afterLoad) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (*afterLoad) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (*afterLoad) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (*afterLoad) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestApply_isFirstWhereItLocksFirst(t *testing.T) {
	b := setup(t, 2)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`))

	rival := b.batch(command(1, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20}`))
	rival.Lanes, rival.Commands[0].Lane = rival.Lanes[1:], 0
	another, rivals := b.open("rival"), make(chan error, 1)
	hook := &afterLoad{do: func() {
		go func() {
			_, err := another.Apply(t.Context(), rival)
			rivals <- err
		}()
		require.Eventually(t, func() bool { return len(rivals) > 0 || b.waitsForLock() }, 20*time.Second, 5*time.Millisecond)
	}}
	s, err := Open(t.Context(), Options{Service: Products, URL: b.url, Adjust: func(pool *pgxpool.Config) { pool.ConnConfig.Tracer = hook }})
	require.NoError(t, err)
	t.Cleanup(s.Close)

	batch := b.batch(command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":10}`)) // names its product only by its batch
	batch.Lanes, batch.LockFirst = batch.Lanes[:1], true
	applied, err := s.Apply(t.Context(), batch)
	require.NoError(t, err)
	require.Len(t, applied.Rows[0], 3)
	require.ErrorIs(t, <-rivals, worker.ErrConflict, "it had read the product before")
	require.Zero(t, s.pool.Stat().AcquiredConns())
	require.NoError(t, s.Ping(t.Context()), "the transaction is over")

	_, err = another.Apply(t.Context(), rival)
	require.NoError(t, err)
}

func (b *bench) waitsForLock() (waits bool) {
	b.t.Helper()
	require.NoError(b.t, b.pool.QueryRow(b.t.Context(),
		`select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')`).Scan(&waits))
	return waits
}

// A batch that locks first and fails leaves no transaction behind.
func TestApply_lockedFirstAndRefused(t *testing.T) {
	b := setup(t, 1)
	batch := b.batch(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`))
	batch.LockFirst, batch.Lanes[0].From = true, 7
	_, err := b.Apply(t.Context(), batch)
	var fenced *worker.FencedError
	require.ErrorAs(t, err, &fenced)
	b.isEmpty()
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`))
}
