package store

import (
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/worker"
)

// cache is what one applier's transactions have read and written, for its next one: the state of
// the aggregate, and which keys are held. A load then asks only for what is missing.
//
// It is safe because the write checks it. The aggregate checks what it relied on. The engine checks
// that none of the aggregate's keys is held, and that the database is the one that was read: see
// server. Any error empties the cache, and so does every claim of the store.
type cache struct {
	aggregate Aggregate
	held      held
	server    server // that all of it was read from
	claims    int    // of the store, when it was taken

	buf []byte // that writes are put together in
}

// server is a server of Postgres from its start to its end, and a database there from one restore
// to the next.
type server struct {
	started time.Time     // zero: not known
	ahead   time.Duration // how far its clock is ahead of this process's
	file    string        // where the aggregate is: it names the database, and what was made or emptied last
	written uint32        // xmin of the only row of kafka_cluster: a restore changes it
}

const serverSQL = `
select pg_postmaster_start_time(), clock_timestamp(), pg_relation_filepath($1::text::regclass), coalesce((select xmin from kafka_cluster), '0')`

func (s *server) learn(row pgx.Row) error {
	var now time.Time
	err := row.Scan(&s.started, &now, &s.file, &s.written)
	s.ahead = time.Until(now)
	return err
}

// maxBuffer is how large a buffer is kept for the next write.
const maxBuffer = 8 << 20

func (s *Store) newCache() *cache { return &cache{aggregate: s.service.Aggregate(), held: newHeld()} }

// today is the day in UTC, by the server's clock.
func (c *cache) today() day { return dayOf(time.Now().Add(c.server.ahead)) }

// keep keeps a buffer for the next write, unless an unusually large one made it grow.
func (c *cache) keep(buf []byte) {
	if cap(buf) <= maxBuffer {
		c.buf = buf
	}
}

// forget forgets what the engine read.
func (c *cache) forget() { c.held, c.server = newHeld(), server{} }

// done ends a transaction that freed keys.
func (c *cache) done(freed []string, err error) {
	c.aggregate.Done(err)
	if err != nil {
		c.forget()
		return
	}
	c.held.free(freed)
}

// caches are those of a store's appliers.
type caches struct {
	mu     sync.Mutex
	idle   map[int]*cache
	claims int // how often all was forgotten
}

// forget empties all caches for a claim, also those that running transactions give back later.
// Other workers may have moved the partitions meanwhile, or moved them again after a restore.
func (c *caches) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claims++
	for _, idle := range c.idle {
		idle.done(nil, errForgotten)
	}
}

// errForgotten tells aggregates that a claim may have made what they know untrue.
var errForgotten = worker.ErrConflict

// take gives an applier's cache to its transaction.
func (c *caches) take(applier int, make func() *cache) *cache {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.idle[applier]
	delete(c.idle, applier)
	if found == nil {
		found = make()
	}
	found.claims = c.claims
	return found
}

func (c *caches) give(applier int, back *cache) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle == nil {
		c.idle = map[int]*cache{}
	}
	if back.claims != c.claims {
		back.done(nil, errForgotten)
	}
	c.idle[applier] = back
}
