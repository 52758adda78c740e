package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"allocation/worker"
)

// Tx is a transaction of commands, on its way from being decided to being written.
type Tx struct {
	store       *Store
	conn        *pgx.Conn
	transaction worker.Transaction
	cache       *cache
	tries       bool

	named    []string // the key that each command names itself
	subjects []string // what each is about
	keys     []string // the key that each command turned out to be about
	made     []string // the name that each would create
	waits    map[int]string
	holds    map[int]string
	ignored  map[int]struct{}
	repeats  map[int]repeat // commands that came before
}

func newTx(s *Store, conn *pgx.Conn, transaction worker.Transaction, c *cache) *Tx {
	n := len(transaction.Commands)
	return &Tx{store: s, conn: conn, transaction: transaction, cache: c, named: make([]string, n), subjects: make([]string, n), keys: make([]string, n), made: make([]string, n)}
}

// Len is how many commands there are.
func (tx *Tx) Len() int { return len(tx.transaction.Commands) }

// Command is a command, which must not be changed.
func (tx *Tx) Command(i int) *worker.Command { return &tx.transaction.Commands[i] }

// Decided reports whether a command needs no decision: its envelope was refused, its type is
// ignored, an operator discarded it, or it is to be done once and came before.
func (tx *Tx) Decided(i int) bool {
	if _, repeated := tx.repeats[i]; repeated {
		return true
	}
	c := &tx.transaction.Commands[i]
	return c.Parked != nil && c.Parked.Discard || c.Ignored || c.Failure == "" && c.Refusal != nil && c.Wait == 0
}

// Fails reports whether a command is not to be decided because it failed: only its key is of
// interest. Reading it may be what failed.
func (tx *Tx) Fails(i int) bool { return tx.transaction.Commands[i].Failure != "" }

// Newer reports whether a command is not to be decided because it may wait for a worker that knows
// its type: only its key is of interest. Without one it is refused.
func (tx *Tx) Newer(i int) bool { return tx.transaction.Commands[i].Wait > 0 }

// Tries reports whether nothing is going to be written. Decide may presume nothing then, since no
// write checks it.
func (tx *Tx) Tries() bool { return tx.tries }

// LockFirst reports whether rows are to be locked before they are read: others were first the last
// time.
func (tx *Tx) LockFirst() bool { return tx.transaction.LockFirst }

// Lock has rows locked until the transaction ends. It is only for LockFirst.
func (tx *Tx) Lock(ctx context.Context, sql string, args ...any) error {
	_, err := tx.Count(ctx, sql, args...)
	return err
}

// Count tells how many rows a query finds. It is only for LockFirst, before rows are locked.
func (tx *Tx) Count(ctx context.Context, sql string, args ...any) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	found, err := tx.conn.Exec(ctx, sql, args...)
	return found.RowsAffected(), readError("lock", err)
}

// Name tells the key that a command names itself, and what it is about, as its events say it. Each
// is empty where that could not be read.
func (tx *Tx) Name(i int, key, subject string) {
	tx.named[i], tx.keys[i], tx.subjects[i] = key, key, subject
}

// Park reports whether a command may be decided. The key is what the command is about. The name is
// what it would create: a command that has only that name waits, too.
func (tx *Tx) Park(i int, key, creates string) Standing {
	tx.keys[i], tx.made[i] = key, creates
	c := &tx.transaction.Commands[i]
	switch {
	case tx.cache.held.unknown(key):
		return Asked
	case tx.cache.held.has(key) && (c.Parked == nil || c.Parked.HeldKey != key):
		if tx.waits == nil {
			tx.waits = map[int]string{}
		}
		tx.waits[i] = key
	case !tx.Fails(i) && !tx.Newer(i):
		return Free
	case key == "":
		return Parked
	default:
		if tx.holds == nil {
			tx.holds = map[int]string{}
		}
		tx.holds[i] = key
	}
	tx.cache.held.add(key, creates)
	return Parked
}

// Ignore says that a command, an event of another service, is about nothing of this one: it has no
// effect, and counts as ignored.
func (tx *Tx) Ignore(i int) {
	if tx.ignored == nil {
		tx.ignored = map[int]struct{}{}
	}
	tx.ignored[i] = struct{}{}
}

func (tx *Tx) ignores(i int) bool {
	_, ignored := tx.ignored[i]
	return ignored || tx.transaction.Commands[i].Ignored
}

// HeldFor is the key behind which a command waits that would create the name; empty where none
// does.
func (tx *Tx) HeldFor(name string) string { return tx.cache.held.names[name] }

// Cut leaves the commands from n on to the next transaction.
func (tx *Tx) Cut(n int) { tx.transaction = tx.transaction.Cut(n) }

// Again begins anew, with the first n commands and nothing that was read.
func (tx *Tx) Again(n int) {
	tx.Cut(n)
	tx.waits, tx.holds, tx.ignored = nil, nil, nil
	tx.cache.forget()
}

// Load asks the database in one round trip, without locks, and scans the answers. Whether keys are
// held, and commands that would create names, is asked before, and which server answers. scan is
// nil where the batch's queries have functions that read the answers.
func (tx *Tx) Load(ctx context.Context, batch *pgx.Batch, keys, names []string, scan func(pgx.BatchResults) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	asks := &pgx.Batch{}
	asksServer := tx.cache.server.started.IsZero()
	if asksServer {
		asks.Queue(serverSQL, tx.store.service.Table)
	}
	asks.Queue(heldSQL, keys, names)
	asks.QueuedQueries = append(asks.QueuedQueries, batch.QueuedQueries...)
	results := tx.conn.SendBatch(ctx, asks)
	var err error
	if asksServer {
		err = tx.cache.server.learn(results.QueryRow())
	}
	if err == nil {
		err = tx.cache.held.learn(results, keys)
	}
	if err == nil && scan != nil {
		err = scan(results)
	}
	return readError("load", errors.Join(err, results.Close()))
}

// identify asks which server answers, where no load has asked yet.
func (tx *Tx) identify(ctx context.Context) error {
	if !tx.cache.server.started.IsZero() {
		return nil
	}
	return tx.Load(ctx, &pgx.Batch{}, nil, nil, nil)
}

// avoid is the error of a transaction that needs what is known to be locked; nil where it needs
// nothing of that.
func (tx *Tx) avoid(ctx context.Context) error {
	for _, h := range tx.store.stillLocked(ctx, tx.conn) {
		if locked := tx.locked(&h); len(locked.From) > 0 {
			return locked
		}
	}
	return nil
}

// locked says which partitions of the transaction cannot go on, and where.
func (tx *Tx) locked(h *foreignLock) *worker.LockedError {
	e := &worker.LockedError{What: h.what, Holder: h.holder, From: map[int]int64{}}
	for i, move := range tx.transaction.Moves {
		if h.source != 0 && move.Source.ID == h.source {
			e.From[i] = move.From
		}
	}
	if h.key == "" {
		return e
	}
	for i, c := range tx.transaction.Commands {
		if _, earlier := e.From[c.Move]; !earlier && tx.keys[i] == h.key {
			e.From[c.Move] = c.Offset
		}
	}
	return e
}
