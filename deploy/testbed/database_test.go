package testbed

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestDatabase_everyTestHasItsOwn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "b", "c"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := Connect(t, Database(t))
			_, err := conn.Exec(t.Context(), "CREATE TABLE only_once (name text)")
			require.NoError(t, err)
		})
	}
}

func TestDatabase_isDroppedWithItsConnections(t *testing.T) {
	t.Parallel()
	var left string
	t.Run("leaves a connection", func(t *testing.T) {
		left = Database(t)
		conn, err := pgx.Connect(t.Context(), left)
		require.NoError(t, err)
		require.NoError(t, conn.Ping(t.Context()))
	})
	Eventually(t, func() bool {
		conn, err := pgx.Connect(t.Context(), left)
		if err == nil {
			_ = conn.Close(t.Context())
		}
		return err != nil && strings.Contains(err.Error(), "does not exist")
	})
}

func TestDatabase_commitsAreDurable(t *testing.T) {
	t.Parallel()
	conn := Connect(t, Database(t))
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&value))
		require.Equal(t, "on", value, setting)
	}
}
