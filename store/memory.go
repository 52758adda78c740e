package store

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"allocation/domain"
	"allocation/outbox"
	"allocation/worker"
)

// memory is what one applier's transactions learned, for its next one: the products and batches as
// they were committed or read last. A load then asks only for what is missing.
//
// It is safe because the write checks it. A product is written, or even just relied upon, only at
// the version that is remembered; everything else of it can only change with its version, except
// whether it is held, which the write checks, too. Versions go up as long as nobody takes the
// database back: one that was restored, or a standby that lacks the last commits, may count the
// same versions again for other events. So the write also checks that the database is the one that
// was read: see server. Whatever fails forgets it all, and so does every claim of the store.
type memory struct {
	loaded *loaded
	server server // that all of it was read from
	claims int    // of the store, when it was taken

	lines   recent // that were to be placed lately
	careful int    // so many transactions do not presume that a line is new
	caution int    // how many they will be the next time

	buf []byte // that writes are put together in
}

// server is a server of Postgres from its start to its end, and a database there from one restore
// to the next.
type server struct {
	started time.Time     // zero: not known
	ahead   time.Duration // its clock, of this process'
	file    string        // where the products are: it names the database, and what was made or emptied last
	written uint32        // the transaction that wrote the row which is written once, or loaded
}

const serverSQL = `
select pg_postmaster_start_time(), clock_timestamp(), pg_relation_filepath('products'), coalesce((select xmin from kafka_cluster), '0')`

func (s *server) learn(row pgx.Row) error {
	var now time.Time
	err := row.Scan(&s.started, &now, &s.file, &s.written)
	s.ahead = time.Until(now)
	return err
}

// today is the day in UTC, by the server's clock.
func (m *memory) today() day { return dayOf(time.Now().Add(m.server.ahead)) }

// Bounds of what an applier remembers, in products and batches, in transactions, and in bytes.
const (
	mostKnown   = 20_000
	mostCaution = 64
	mostBuffer  = 8 << 20
)

func newMemory() *memory {
	return &memory{loaded: newLoaded(), lines: newRecent(), caution: 1}
}

// errNotNew is the conflict of an order line that was taken for a new one and came up while
// something else was read.
var errNotNew = fmt.Errorf("%w: an order line that is placed exists already", worker.ErrConflict)

// presumes reports whether an order line that is to be placed is taken for a new one, unless it was
// to be placed lately. If it is none, the write fails on the primary key, and the next transaction
// looks it up.
func (m *memory) presumes(id domain.LineID) bool { return !m.lines.seen(id) && m.careful == 0 }

// committed keeps what a transaction learned and did, but that it freed products.
func (m *memory) committed(freed []string) {
	m.careful = max(0, m.careful-1)
	if m.careful == 0 {
		m.caution = max(1, m.caution-1)
	}
	m.loaded.committed()
	m.loaded.held.free(freed)
	m.loaded.forget(mostKnown)
}

// keep keeps a buffer for the next write, unless an unusually large one made it grow.
func (m *memory) keep(buf []byte) {
	if cap(buf) <= mostBuffer {
		m.buf = buf
	}
}

// anew is what is left of a memory whose decisions are not to be: everything but what was read.
func (m *memory) anew() *memory {
	return &memory{loaded: newLoaded(), claims: m.claims, lines: m.lines, careful: m.careful, caution: m.caution, buf: m.buf}
}

// doubted is what is left of a memory after a conflict: it may have been wrong.
func (m *memory) doubted(conflict error) *memory {
	fresh := m.anew()
	var pg *pgconn.PgError
	if errors.Is(conflict, errNotNew) || errors.As(conflict, &pg) && pg.ConstraintName == "lines_pkey" {
		fresh.careful, fresh.caution = m.caution, min(2*m.caution, mostCaution)
	}
	return fresh
}

// memories are those of a store's appliers.
type memories struct {
	mu     sync.Mutex
	idle   map[int]*memory
	claims int // how often all was forgotten
}

// forget empties all memories for a claim, also those that transactions in flight give back later:
// others may have moved the partitions meanwhile, or moved them again after a restore.
func (m *memories) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.claims++
	for applier, idle := range m.idle {
		m.idle[applier] = idle.anew()
	}
}

// take gives an applier's memory to its transaction.
func (m *memories) take(applier int) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.idle[applier]
	delete(m.idle, applier)
	if found == nil {
		found = newMemory()
	}
	found.claims = m.claims
	return found
}

func (m *memories) give(applier int, back *memory) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.idle == nil {
		m.idle = map[int]*memory{}
	}
	if back.claims != m.claims {
		back = back.anew()
	}
	m.idle[applier] = back
}

// forget makes room where very much is known.
func (l *loaded) forget(most int) {
	if l.catalog.Size() <= most {
		return
	}
	l.catalog.Forget(most)
	unknown := func(sku string) bool { return !l.catalog.Knows(sku) }
	maps.DeleteFunc(l.versions, func(sku string, _ int64) bool { return unknown(sku) })
	maps.DeleteFunc(l.products, func(sku string, _ outbox.Predecessor) bool { return unknown(sku) })
	maps.DeleteFunc(l.owners, func(ref, _ string) bool { return !l.catalog.KnowsBatch(ref) })
}

// committed keeps what is known of products and batches that exist, at the versions that they have
// now.
func (l *loaded) committed() {
	for _, p := range l.catalog.Products() {
		if p.Version == 0 {
			delete(l.versions, p.SKU)
		} else {
			l.versions[p.SKU] = p.Version
		}
	}
	l.catalog.Committed()
	for ref := range l.absent {
		if l.owners[ref] == "" {
			delete(l.owners, ref)
		}
	}
	clear(l.absent)
	clear(l.lines)
}

// recent knows order lines that it was asked about lately, by their hashes. Each has one slot,
// which it shares with others: the last one stays.
type recent struct {
	seed  maphash.Seed
	slots []uint64
}

// recentSlots is a power of two: a megabyte of slots.
const recentSlots = 1 << 17

func newRecent() recent { return recent{maphash.MakeSeed(), make([]uint64, recentSlots)} }

// seen reports whether it was asked about a line before.
func (r *recent) seen(id domain.LineID) bool {
	hash := maphash.Comparable(r.seed, id)
	slot := &r.slots[hash%recentSlots]
	before := *slot == hash
	*slot = hash
	return before
}
