// Package storetest applies commands to a store without Kafka, as a worker would: it claims
// partitions, keeps their positions, and makes transactions of what is parked for later.
//
// Each bench has a database of its own. Its methods end the test where something goes wrong.
package storetest

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // for the migrations
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/migrations"
	"allocation/outbox"
	"allocation/store"
	"allocation/worker"
)

// Bench is a store on a database of its own, with partitions claimed.
type Bench struct {
	*store.Store
	T       *testing.T
	URL     string
	Service store.Service
	DB      *pgxpool.Pool // the owner's, to look and to change
	loads   *loads

	// By partition.
	Claims  []worker.Claim
	Offsets []int64 // the next command's
	NextRow []int64
}

// New makes a database with the tables of a service, which its migrations or statements make.
func New(t *testing.T, service store.Service, partitions int, tables ...string) *Bench {
	t.Helper()
	t.Parallel()
	url := testbed.Migrated(t)
	if service.Line != nil && service.Line != &migrations.Products {
		migrate(t, url, service)
	}
	b := At(t, url, service)
	for _, statements := range tables {
		b.Exec(statements)
	}
	b.Claims = b.ClaimFor(b.Store, partitions)
	b.Offsets, b.NextRow = make([]int64, partitions), make([]int64, partitions)
	return b
}

// migrate makes the tables of a service beside those that each test's database has.
func migrate(t *testing.T, url string, service store.Service) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer db.Close()
	_, err = migrations.Up(t.Context(), db, migrations.Options{Lines: service.Lines()})
	require.NoError(t, err)
}

// At uses a database as it is, and claims nothing.
func At(t *testing.T, url string, service store.Service) *Bench {
	t.Helper()
	db, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	b := &Bench{T: t, URL: url, Service: service, DB: db, loads: &loads{}}
	b.Store = b.Open("test")
	return b
}

// Open opens another store on the database.
func (b *Bench) Open(owner string) *store.Store {
	b.T.Helper()
	return b.OpenWith(store.Options{URL: b.URL, Owner: owner})
}

// OpenWith opens another store.
func (b *Bench) OpenWith(o store.Options) *store.Store {
	b.T.Helper()
	o.Service = b.Service
	if o.Adjust == nil {
		o.Adjust = b.loads.configure
	}
	s, err := store.Open(b.T.Context(), o)
	require.NoError(b.T, err)
	b.T.Cleanup(s.Close)
	return s
}

// ClaimFor claims the first partitions for a store.
func (b *Bench) ClaimFor(s *store.Store, partitions int) []worker.Claim {
	b.T.Helper()
	var requests []worker.ClaimRequest
	for p := range partitions {
		requests = append(requests, worker.ClaimRequest{Topic: "commands", TopicID: [16]byte{1}, Partition: int32(p)})
	}
	claims, err := s.Claim(b.T.Context(), requests)
	require.NoError(b.T, err)
	return claims
}

// Other is the bench with another store, and positions of its own.
func (b *Bench) Other(s *store.Store) *Bench {
	other := *b
	other.Store = s
	other.Offsets, other.NextRow = append([]int64{}, b.Offsets...), append([]int64{}, b.NextRow...)
	return &other
}

// Command is a command that came by a partition.
func Command(partition int, name, format string, args ...any) worker.Command {
	data := fmt.Appendf(nil, format, args...)
	return worker.Command{Move: partition, Type: name, Data: data, Value: data, Cause: &outbox.Cause{Time: time.Now().UnixMilli()}}
}

// Transaction puts commands behind what was applied.
func (b *Bench) Transaction(commands ...worker.Command) worker.Transaction {
	transaction := worker.Transaction{Commands: commands}
	to := append([]int64{}, b.Offsets...)
	for i := range commands {
		commands[i].Offset = to[commands[i].Move]
		to[commands[i].Move]++
	}
	for p, c := range b.Claims {
		transaction.Moves = append(transaction.Moves, worker.PositionMove{Source: c.Source, Token: c.Token, From: b.Offsets[p], To: to[p], NextRow: b.NextRow[p]})
	}
	return transaction
}

// OnlyPartition leaves the other partitions out of a transaction, whose commands are all of one.
func OnlyPartition(t worker.Transaction, partition int) worker.Transaction {
	t.Moves = t.Moves[partition : partition+1]
	for i := range t.Commands {
		t.Commands[i].Move = 0
	}
	return t
}

// Committed notes that a transaction was.
func (b *Bench) Committed(transaction worker.Transaction, applied worker.Applied) {
	for p := range transaction.Moves {
		b.Offsets[p] = transaction.Moves[p].To
		b.NextRow[p] += int64(len(applied.Rows[p]))
	}
}

// Do applies commands in one transaction.
func (b *Bench) Do(commands ...worker.Command) worker.Applied {
	b.T.Helper()
	transaction := b.Transaction(commands...)
	applied, err := b.Apply(b.T.Context(), transaction)
	require.NoError(b.T, err)
	b.Committed(transaction, applied)
	return applied
}

// Says gives the events of a partition, as people write them.
func Says(rows []outbox.Row) (out []string) {
	for _, r := range rows {
		if r.DeadLetter != nil {
			out = append(out, "refused "+r.DeadLetter.Reason)
			continue
		}
		out = append(out, fmt.Sprintf("%d %s %s", r.Sequence, r.Type, r.Value))
	}
	return out
}

// Results gives what became of commands.
func Results(a worker.Applied) (out []string) {
	for _, o := range a.Outcomes {
		out = append(out, o.Result.String())
	}
	return out
}

// Exec runs statements as the owner of the tables.
func (b *Bench) Exec(statements string) {
	b.T.Helper()
	_, err := b.DB.Exec(b.T.Context(), statements)
	require.NoError(b.T, err, statements)
}

// Count is what a query with one number answers.
func (b *Bench) Count(query string, args ...any) int { return Ask[int](b, query, args...) }

// Ask is what a query with one value answers.
func Ask[T any](b *Bench, query string, args ...any) (answer T) {
	b.T.Helper()
	require.NoError(b.T, b.DB.QueryRow(b.T.Context(), query, args...).Scan(&answer), query)
	return answer
}

// Connect makes a connection of the owner that ends with the test.
func (b *Bench) Connect() *pgx.Conn { return b.ConnectTo(b.URL) }

// ConnectTo makes a connection that ends with the test.
func (b *Bench) ConnectTo(url string) *pgx.Conn {
	b.T.Helper()
	return testbed.Connect(b.T, url)
}

// WaitsForLock reports whether a session waits for a lock.
func (b *Bench) WaitsForLock() bool {
	return Ask[bool](b, `select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')`)
}

// Outsider has something locked until its transaction ends.
func (b *Bench) Outsider(statement string) *pgx.Conn {
	b.T.Helper()
	conn := b.Connect()
	_, err := conn.Exec(b.T.Context(), `set application_name = 'report'; begin; `+statement)
	require.NoError(b.T, err)
	return conn
}

// Release ends its transaction.
func (b *Bench) Release(outsider *pgx.Conn) {
	b.T.Helper()
	_, err := outsider.Exec(b.T.Context(), `rollback`)
	require.NoError(b.T, err)
}
