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

// Redrive reads what is parked for a partition, and makes a transaction of it, as its worker would.
func (b *Bench) Redrive(partition, most int) (worker.RedriveBatch, worker.Transaction) {
	b.T.Helper()
	batch, transaction, err := b.TryToRedrive(partition, most)
	require.NoError(b.T, err)
	return batch, transaction
}

// TryToRedrive is Redrive, which may fail.
func (b *Bench) TryToRedrive(partition, most int) (worker.RedriveBatch, worker.Transaction, error) {
	batch, err := b.NextRedrive(b.T.Context(), b.Claims[partition].Source.ID, most, false)
	if err != nil {
		return batch, worker.Transaction{}, err
	}
	transaction := b.Transaction()
	transaction.Moves = transaction.Moves[partition : partition+1]
	for i := range batch.Records {
		r := &batch.Records[i]
		transaction.Commands = append(transaction.Commands, worker.Command{
			Offset: r.Offset, Type: header(r.Headers, "ce_type"), Data: r.Value, Key: r.Key, Value: r.Value, Headers: r.Headers,
			Cause: &outbox.Cause{Time: r.Time, CommandID: header(r.Headers, "ce_id")}, Once: header(r.Headers, "ce_once") == "true", Parked: &r.Parked,
		})
	}
	if batch.Free != "" {
		transaction.Free = []string{batch.Free}
	}
	return batch, transaction, nil
}

func header(headers []outbox.Header, key string) string {
	for _, h := range headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// DoRedrive applies what is parked for a partition.
func (b *Bench) DoRedrive(partition, most int) worker.Applied {
	b.T.Helper()
	_, transaction := b.Redrive(partition, most)
	applied, err := b.Apply(b.T.Context(), transaction)
	require.NoError(b.T, err)
	b.NextRow[partition] += int64(len(applied.Rows[0]))
	return applied
}
