package store

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// A server that speaks another language says the same.
func TestErrors_areUnderstoodInEveryLanguage(t *testing.T) {
	err := writeError("save", &pgconn.PgError{Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: codeConflict})
	require.ErrorIs(t, err, worker.ErrConflict)
	require.NotErrorIs(t, err, worker.ErrUnknownOutcome)
}
