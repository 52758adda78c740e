package store

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/migrations"
	"allocation/outbox"
	"allocation/worker"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// bench is a store on a database of its own, with partitions claimed.
type bench struct {
	*Store
	t      *testing.T
	url    string
	claims []worker.Claim
	offset []int64
	rows   []int64
}

func setup(t *testing.T, partitions int) *bench {
	t.Helper()
	t.Parallel()
	b := &bench{t: t, url: testbed.Database(t)}
	db, err := sql.Open("pgx", b.url)
	require.NoError(t, err)
	_, err = migrations.Up(t.Context(), db)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	b.Store = b.open("test")
	b.claims = b.claim(b.Store, partitions)
	b.offset, b.rows = make([]int64, partitions), make([]int64, partitions)
	return b
}

func (b *bench) open(owner string) *Store {
	b.t.Helper()
	s, err := Open(b.t.Context(), Options{Service: Products, URL: b.url, Owner: owner})
	require.NoError(b.t, err)
	b.t.Cleanup(s.Close)
	return s
}

func (b *bench) claim(s *Store, partitions int) []worker.Claim {
	b.t.Helper()
	var requests []worker.ClaimRequest
	for p := range partitions {
		requests = append(requests, worker.ClaimRequest{Topic: "commands", TopicID: [16]byte{1}, Partition: int32(p)})
	}
	claims, err := s.Claim(b.t.Context(), requests)
	require.NoError(b.t, err)
	return claims
}

// command is a command that came by a partition.
func command(partition int, kind, format string, args ...any) worker.Command {
	data := fmt.Appendf(nil, format, args...)
	return worker.Command{Lane: partition, Type: kind, Data: data, Value: data, Cause: &outbox.Cause{Time: time.Now().UnixMilli()}}
}

// batch puts commands behind what was applied.
func (b *bench) batch(commands ...worker.Command) worker.Batch {
	batch := worker.Batch{Commands: commands}
	to := append([]int64{}, b.offset...)
	for i := range commands {
		commands[i].Offset = to[commands[i].Lane]
		to[commands[i].Lane]++
	}
	for p, c := range b.claims {
		batch.Lanes = append(batch.Lanes, worker.Lane{Source: c.Source, Token: c.Token, From: b.offset[p], To: to[p], NextRow: b.rows[p]})
	}
	return batch
}

// committed notes that a batch was.
func (b *bench) committed(batch worker.Batch, applied worker.Applied) {
	for p := range batch.Lanes {
		b.offset[p] = batch.Lanes[p].To
		b.rows[p] += int64(len(applied.Rows[p]))
	}
}

// apply applies commands in one transaction, and says what they did.
func (b *bench) apply(commands ...worker.Command) worker.Applied {
	b.t.Helper()
	batch := b.batch(commands...)
	applied, err := b.Apply(b.t.Context(), batch)
	require.NoError(b.t, err)
	b.committed(batch, applied)
	return applied
}

// says are the events of a partition, as people write them.
func says(rows []outbox.Row) (out []string) {
	for _, r := range rows {
		if r.DeadLetter != nil {
			out = append(out, "refused "+r.DeadLetter.Reason)
			continue
		}
		out = append(out, fmt.Sprintf("%d %s %s", r.Sequence, r.Type, r.Value))
	}
	return out
}

// deciding begins a transaction whose loads somebody else answers.
func (b *bench) deciding(batch worker.Batch, db querier) (*Tx, *products) {
	cache := b.caches.take(batch.Applier, b.newCache)
	tx := newTx(b.Store, nil, batch, cache)
	tx.db = db
	cache.aggregate.Begin(tx)
	return tx, cache.aggregate.(*products)
}

// remembered is what an applier remembers.
func (b *bench) remembered(applier int) *products {
	return b.caches.idle[applier].aggregate.(*products)
}
