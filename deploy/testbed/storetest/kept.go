package storetest

import (
	"github.com/stretchr/testify/require"

	"allocation/outbox"
	"allocation/worker"
)

// Fail makes a command one that failed alone too often.
func Fail(c worker.Command) worker.Command {
	c.Failure = "it failed 3 times alone: odd"
	return c
}

// Typed is a command whose headers tell its type, so that it can be read again.
func Typed(c worker.Command) worker.Command {
	c.Headers = []outbox.Header{{Key: "ce_type", Value: []byte(c.Type)}}
	return c
}

// DecideLetter notes an operator's decision on the dead letter of a row.
func (b *Bench) DecideLetter(partition int, row int64, state string) {
	b.T.Helper()
	_, err := b.DB.Exec(b.T.Context(), `update dead_letters set state = $3 where source = $1 and row_no = $2`, b.Claims[partition].Source.ID, row, state)
	require.NoError(b.T, err)
}

// Keep reads what is kept for a partition, and makes a transaction of it, as its worker would.
func (b *Bench) Keep(partition, most int) (worker.KeptBatch, worker.Transaction) {
	b.T.Helper()
	kept, transaction, err := b.TryToKeep(partition, most)
	require.NoError(b.T, err)
	return kept, transaction
}

// TryToKeep is Keep, which may fail.
func (b *Bench) TryToKeep(partition, most int) (worker.KeptBatch, worker.Transaction, error) {
	kept, err := b.Kept(b.T.Context(), b.Claims[partition].Source.ID, most, false)
	if err != nil {
		return kept, worker.Transaction{}, err
	}
	transaction := b.Transaction()
	transaction.Moves = transaction.Moves[partition : partition+1]
	for i := range kept.Records {
		r := &kept.Records[i]
		transaction.Commands = append(transaction.Commands, worker.Command{
			Offset: r.Offset, Type: header(r.Headers, "ce_type"), Data: r.Value, Key: r.Key, Value: r.Value, Headers: r.Headers,
			Cause: &outbox.Cause{Time: r.Time}, Kept: &r.Kept,
		})
	}
	if kept.Free != "" {
		transaction.Free = []string{kept.Free}
	}
	return kept, transaction, nil
}

func header(headers []outbox.Header, key string) string {
	for _, h := range headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// DoKept applies what is kept for a partition.
func (b *Bench) DoKept(partition, most int) worker.Applied {
	b.T.Helper()
	_, transaction := b.Keep(partition, most)
	applied, err := b.Apply(b.T.Context(), transaction)
	require.NoError(b.T, err)
	b.NextRow[partition] += int64(len(applied.Rows[0]))
	return applied
}
