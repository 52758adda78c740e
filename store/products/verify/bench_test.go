package verify

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/storetest"
	"allocation/store/products"
	"allocation/store/verify"
	"allocation/worker"
)

func TestMain(m *testing.M) { testbed.Main(m) }

var command = storetest.Command

// bench is a database to which commands are applied as a worker does.
type bench struct{ *storetest.Bench }

func setup(t *testing.T, partitions int) *bench {
	t.Helper()
	b := &bench{storetest.At(t, testbed.Migrated(t), products.Service)}
	b.Claims = b.ClaimFor(b.Store, partitions)
	b.Offsets, b.NextRow = make([]int64, partitions), make([]int64, partitions)
	return b
}

// apply applies commands in one transaction.
func (b *bench) apply(commands ...worker.Command) {
	b.T.Helper()
	require.NoError(b.T, b.tryApply(commands))
}

// tryApply applies commands in a transaction which notes that all before it is published, and
// decides again where it rested on what is not so, as where a line was there before.
func (b *bench) tryApply(commands []worker.Command) error {
	transaction := b.Transaction(commands...)
	for p := range transaction.Moves {
		transaction.Moves[p].Published = b.NextRow[p]
	}
	applied, err := b.Apply(b.T.Context(), transaction)
	if errors.Is(err, worker.ErrConflict) {
		applied, err = b.Apply(b.T.Context(), transaction)
	}
	if err == nil {
		b.Committed(transaction, applied)
	}
	return err
}

// verify runs and returns what it reported.
func (b *bench) verify(o verify.Options) (found []verify.Difference, summary Summary) {
	b.T.Helper()
	o.Report = func(d verify.Difference) error {
		found = append(found, d)
		return nil
	}
	summary, err := Run(b.T.Context(), b.Store, o)
	require.NoError(b.T, err)
	require.EqualValues(b.T, len(found), summary.Differences)
	return found, summary
}
