package storetest

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"allocation/store"
	"allocation/worker"
)

// loads sees each load of a store.
type loads struct {
	asked   atomic.Int64
	next    atomic.Pointer[func()]                                // is called when the next one has its answer
	acquire atomic.Pointer[func(context.Context, *pgx.Conn) bool] // is called with each connection that is taken
}

func (l *loads) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	l.asked.Add(1)
	return ctx
}

func (l *loads) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {
	if do := l.next.Swap(nil); do != nil {
		(*do)()
	}
}

func (*loads) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (*loads) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (*loads) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// configure has a pool's loads seen, and its connections.
func (l *loads) configure(pool *pgxpool.Config) {
	pool.ConnConfig.Tracer = l
	pool.BeforeAcquire = func(ctx context.Context, conn *pgx.Conn) bool { //nolint:staticcheck // what replaces it gives errors, too
		use := l.acquire.Load()
		return use == nil || (*use)(ctx, conn)
	}
}

// BeforeEach has something done with each connection that a call of the store takes. The pool
// closes it if that gives false.
func (b *Bench) BeforeEach(use func(context.Context, *pgx.Conn) bool) { b.loads.acquire.Store(&use) }

// Interrupted is a store that does something once, between a transaction's first load and its
// write.
func (b *Bench) Interrupted(do func()) *store.Store {
	b.T.Helper()
	hook := &loads{}
	hook.next.Store(&do)
	return b.OpenWith(store.Options{URL: b.URL, Adjust: func(pool *pgxpool.Config) { pool.ConnConfig.Tracer = hook }})
}

// DoWithoutLoad applies commands, which must not ask the database anything before they are written.
func (b *Bench) DoWithoutLoad(commands ...worker.Command) worker.Applied {
	b.T.Helper()
	before := b.loads.asked.Load()
	applied := b.Do(commands...)
	require.Equal(b.T, before, b.loads.asked.Load(), "the database was asked")
	return applied
}
