// Package store is the engine on Postgres. It keeps positions, the outbox, dead letters and held
// keys beside the state of a service, its Aggregate. It knows keys and rows, and not what commands
// mean: packages products and orders are the aggregates of this repository's services.
//
// Its guarantee: a transaction commits positions, the changes of the aggregate, outbox rows and
// dead letters together. It commits only if the worker still holds the claims, the positions are
// where it left them, and everything that the decisions read is still so. Nothing is locked while
// deciding: reads take no locks and leave no transaction open. The write is one pipeline with its
// commit at the end, which is sent at once unless it is large. An applier's next transaction
// remembers what its last one read or wrote, and the write checks that, too: see cache. A
// transaction of few commands locks its rows before it reads after a conflict: see lockPositions.
//
// Locks are taken in one order, so that transactions cannot deadlock: positions by source, then the
// aggregate's rows, then held keys, then requests by id.
//
// It starts no goroutine that outlives a call.
package store

import (
	"cmp"
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/migrations"
)

// Store is the database of the service. It is safe for concurrent use.
type Store struct {
	pool      *pgxpool.Pool
	owner     string
	version   string
	process   uuid.UUID // names this process in the nonces
	schema    migrations.Schema
	service   Service
	caches    caches
	lacksDay  chan struct{} // has room for one
	outsiders outsiders
	xids      xidClock
}

// Options say how to reach the database.
type Options struct {
	URL      string
	Schema   migrations.Schema     // where the tables are; empty: the default
	Service  Service               // what is kept beside positions, outbox and dead letters
	Owner    string                // names this worker to people, in positions
	Version  string                // of this worker's build, for people
	MaxConns int32                 // 0: the pool's default
	Denied   func()                // is called at each error of Postgres that a right is missing, and must not block; may be nil
	Adjust   func(*pgxpool.Config) // changes the pool's configuration last: tracing, or faults in tests; may be nil
}

// Open makes a pool of connections. It does not connect yet: a mistake in the URL is the only
// error.
func Open(ctx context.Context, o Options) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("read database URL: %w", err)
	}
	schema := cmp.Or(o.Schema, migrations.DefaultSchema)
	configureSession(cfg, o.Service.Name, schema)
	if o.Denied != nil {
		tellDenied(cfg.ConnConfig, o.Denied)
	}
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	if o.Adjust != nil {
		o.Adjust(cfg)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &Store{schema: schema, service: o.Service, pool: pool, owner: o.Owner, version: o.Version, process: uuid.New(), lacksDay: make(chan struct{}, 1)}, nil
}

// Close ends all connections. Calls in flight fail.
func (s *Store) Close() { s.pool.Close() }

// Ping answers whether the database can be reached and written to.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	return nil
}
