package service_test

import (
	"context"
	"regexp"
	"strconv"
	"testing"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// openTransaction opens one that needs the rows as they are, and gives what ends it.
func openTransaction(t *testing.T, database string) (end func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	_, err = conn.Exec(t.Context(), `set application_name = 'report'; begin isolation level repeatable read; select from products`)
	require.NoError(t, err)
	return func() {
		_, err := conn.Exec(t.Context(), `rollback`)
		require.NoError(t, err)
	}
}

func TestService_measuresTheOldestTransaction(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	end := openTransaction(t, s.DatabaseURL())
	oldest := func() float64 {
		found := regexp.MustCompile(`(?m)^allocation_oldest_transaction_age_seconds (\S+)$`).FindStringSubmatch(s.Get("/metrics"))
		require.NotNil(t, found)
		age, err := strconv.ParseFloat(found[1], 64)
		require.NoError(t, err)
		return age
	}
	testbed.Eventually(s.T, func() bool { return oldest() > 1 }, "its age is seen")
	end()
	testbed.Eventually(s.T, func() bool { return oldest() == 0 }, "it is over")
}
