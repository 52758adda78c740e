package verify

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/outbox"
	"allocation/store"
	"allocation/store/products"
	"allocation/store/verify"
	"allocation/worker"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// bench is a database to which commands are applied as a worker does.
type bench struct {
	t      *testing.T
	db     *store.Store
	url    string
	claims []worker.Claim
	next   []int64 // offset, by partition
	rows   []int64
}

func setup(t *testing.T, partitions int) *bench {
	t.Helper()
	b := &bench{t: t, url: testbed.Migrated(t), next: make([]int64, partitions), rows: make([]int64, partitions)}
	var err error
	b.db, err = store.Open(t.Context(), store.Options{Service: products.Service, URL: b.url, Owner: "test"})
	require.NoError(t, err)
	t.Cleanup(b.db.Close)
	var requests []worker.ClaimRequest
	for p := range partitions {
		requests = append(requests, worker.ClaimRequest{Topic: "commands", TopicID: [16]byte{1}, Partition: int32(p)})
	}
	b.claims, err = b.db.Claim(t.Context(), requests)
	require.NoError(t, err)
	return b
}

// command is a command that came by a partition.
func command(partition int, kind, format string, args ...any) worker.Command {
	data := fmt.Appendf(nil, format, args...)
	return worker.Command{Move: partition, Type: kind, Data: data, Value: data, Cause: &outbox.Cause{Time: time.Now().UnixMilli()}}
}

// apply applies commands in one transaction.
func (b *bench) apply(commands ...worker.Command) {
	b.t.Helper()
	require.NoError(b.t, b.tryApply(commands))
}

func (b *bench) tryApply(commands []worker.Command) error {
	transaction := worker.Transaction{Commands: commands}
	to := append([]int64{}, b.next...)
	for i := range commands {
		commands[i].Offset = to[commands[i].Move]
		to[commands[i].Move]++
	}
	for p, c := range b.claims {
		transaction.Moves = append(transaction.Moves, worker.PositionMove{Source: c.Source, Token: c.Token, From: b.next[p], To: to[p], NextRow: b.rows[p], Published: b.rows[p]})
	}
	applied, err := b.db.Apply(b.t.Context(), transaction)
	if err != nil {
		return err
	}
	b.next = to
	for p := range b.claims {
		b.rows[p] += int64(len(applied.Rows[p]))
	}
	return nil
}

// damage runs statements as the owner of the tables.
func (b *bench) damage(statements string) {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.url)
	require.NoError(b.t, err)
	defer conn.Close(b.t.Context())
	_, err = conn.Exec(b.t.Context(), statements)
	require.NoError(b.t, err)
}

// verify runs and returns what it reported.
func (b *bench) verify(o verify.Options) (found []verify.Difference, summary Summary) {
	b.t.Helper()
	o.Report = func(d verify.Difference) error {
		found = append(found, d)
		return nil
	}
	summary, err := Run(b.t.Context(), b.db, o)
	require.NoError(b.t, err)
	require.EqualValues(b.t, len(found), summary.Differences)
	return found, summary
}
