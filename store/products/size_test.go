package products

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// manyLines puts lines on one batch, b1, of the product CHAIR.
func (b *bench) manyLines(lines int) {
	b.T.Helper()
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":%d}`, lines))
	commands := make([]worker.Command, lines)
	for i := range commands {
		commands[i] = command(0, "Allocate", `{"orderid":"o%d","sku":"CHAIR","qty":1}`, i)
	}
	for len(commands) > 0 {
		n := min(4096, len(commands))
		b.Do(commands[:n]...)
		commands = commands[n:]
	}
}

// counts are changes of a batch's quantity, to nothing and back.
func counts(n, lines int) (commands []worker.Command) {
	for i := range n {
		commands = append(commands, command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":%d}`, i%2*lines))
	}
	return commands
}

// Each of a few commands moves many lines: they are as many transactions, and what comes by another
// partition loses nothing.
func TestApply_leavesToTheNextTransactionWhatIsTooMuchForOne(t *testing.T) {
	const lines = maxEvents/2 + 1000
	b := setup(t, 2)
	b.Do(command(0, "CreateBatch", `{"ref":"s1","sku":"SOFA","qty":9}`))
	b.manyLines(lines)
	rest := append(counts(6, lines), command(0, "Allocate", `{"orderid":"o1","sku":"SOFA","qty":1}`),
		command(1, "Allocate", `{"orderid":"o2","sku":"SOFA","qty":1}`), command(1, "Allocate", `{"orderid":"o3","sku":"SOFA","qty":1}`))
	rest[1].LeaderEpoch, rest[0].LeaderEpoch = 8, 7
	var taken []int
	for len(rest) > 0 {
		transaction := b.Transaction(rest...)
		applied, err := b.Apply(t.Context(), transaction)
		require.NoError(t, err)
		transaction = transaction.Cut(len(applied.Outcomes))
		for p, move := range transaction.Moves {
			require.Equal(t, move.To, int64(b.Count(fmt.Sprintf(`select next_offset::int from positions where partition = %d`, p))))
		}
		if len(taken) == 0 {
			require.Equal(t, 7, b.Count(`select leader_epoch from positions where partition = 0`))
			require.Equal(t, transaction.Moves[1].From, transaction.Moves[1].To, "nothing of the other partition was taken")
		}
		b.Committed(transaction, applied)
		taken, rest = append(taken, len(applied.Outcomes)), rest[len(applied.Outcomes):]
	}
	require.Equal(t, []int{1, 2, 6}, taken, "what moves the lines back has half as many events")
	require.Equal(t, lines, b.Count(`select count(*)::int from lines where state = 'allocated' and batchref = 'b1'`))
	require.Equal(t, 3, b.Count(`select count(*)::int from lines where state = 'allocated' and batchref = 's1'`))
}

// A product whose count must be loaded in parts, and one that is behind it.
func TestApply_loadsManyLinesInParts(t *testing.T) {
	const lines = firstLines + 500
	b := setup(t, 1)
	b.manyLines(lines)
	applied := b.Do(command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":200}`))
	require.Len(t, applied.Rows[0], 1+2*(lines-200))
	require.Equal(t, 200, b.Count(`select count(*)::int from lines where state = 'allocated'`))
}

func TestApply_isInterruptedWhileItDecides(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":9}`))
	ctx, cancel := context.WithCancel(t.Context())
	s := b.Interrupted(cancel)
	_, err := s.Apply(ctx, b.Transaction(command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)))
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, b.Count(`select count(*) from lines`))
}

// Statements of Postgres end after half a minute, but what very many lines take longer for.
func TestApply_givesTimeToACommandThatMovesManyLines(t *testing.T) {
	const lines = maxEvents/2 + 1000
	b := setup(t, 1)
	b.manyLines(lines)
	b.Exec(`create function note() returns trigger language plpgsql as $$ begin
		raise exception 'may take %', current_setting('statement_timeout'); end $$`)
	b.Exec(`create trigger note before update on lines for each statement execute function note()`)
	_, err := b.Apply(t.Context(), b.Transaction(command(0, "Deallocate", `{"orderid":"o1","sku":"CHAIR"}`)))
	require.ErrorContains(t, err, "may take 30s")
	_, err = b.Apply(t.Context(), b.Transaction(command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":0}`)))
	require.ErrorContains(t, err, fmt.Sprintf("may take %dms", 30_000+1+2*lines))
}
