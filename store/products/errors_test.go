package products

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// isFault reports whether the worker would look for the command at fault.
func isFault(err error) bool {
	var fenced *worker.FencedError
	return err != nil && !errors.As(err, &fenced) && !errors.Is(err, worker.ErrOutage) && !errors.Is(err, worker.ErrConflict) && !errors.Is(err, worker.ErrUnknownOutcome)
}

// A trigger raises each of these in the transaction of a good command, as Postgres, a pooler or a
// half-made migration would.
func TestApply_blamesACommandForItsOwnFaultsOnly(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`))
	order := command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)
	raise := func(code string) error {
		b.Exec(fmt.Sprintf(`create or replace function raises() returns trigger language plpgsql as $$
			begin raise exception 'raised' using errcode = '%s'; end $$`, code))
		_, err := b.Apply(t.Context(), b.Transaction(order))
		require.ErrorContains(t, err, "SQLSTATE "+code)
		return err
	}
	b.Exec(`create function raises() returns trigger language plpgsql as $$ begin return new; end $$; create trigger raises before insert on lines for each row execute function raises()`)
	for _, code := range []string{
		"03000", "08000", "08006", "08P01", "0A000", "0B000", "0L000", "0P000", "24000", "25000", "25001", "25006", "25P01", "25P02", "25P03", "26000", "28000",
		"28P01", "2B000", "2D000", "34000", "3B000", "3D000", "3F000", "40000", "40002", "42000", "42501", "42601", "42703", "42704", "42804", "42883", "42P01", "42P03",
		"42P05", "42P14", "44000", "53100", "53200", "53300", "53400", "55000", "55006", "55P02", "57000", "57P01", "57P03", "58030", "72000", "F0000", "XX000", "XX001",
	} {
		require.ErrorIs(t, raise(code), worker.ErrOutage, code)
	}
	require.ErrorIs(t, raise("40003"), worker.ErrUnknownOutcome, "nobody knows")
	for _, code := range []string{"21000", "22003", "22021", "22P05", "23502", "23P01", "38000", "54000", "57014", "P0001", "P0004", "MY001"} {
		require.True(t, isFault(raise(code)), code)
	}
	b.Exec(`drop trigger raises on lines`)
	b.Do(order)
}
