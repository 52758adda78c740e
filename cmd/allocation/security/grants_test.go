package security

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

var operatorsTables = regexp.MustCompile(`grant select on ([a-z_, ]+) to allocation_operator;`)

// needsEachGrant: each right that SECURITY.md has an administrator type is missed when it is taken away. What migrations give to the worker's
// role is the store's test.
func needsEachGrant(s *site) {
	found := operatorsTables.FindStringSubmatch(s.statements()[2])
	require.NotNil(s.t, found)
	for table := range strings.SplitSeq(found[1], ", ") {
		s.without("select on "+table, "allocation_operator", func() {
			require.Contains(s.t, s.operatorsErrors(), "permission denied for table "+table)
		})
	}
	s.without("connect on database allocation", "allocation_operator", func() {
		require.Contains(s.t, s.operatorsErrors(), "Postgres refuses the user allocation_operator: permission denied for database")
	})
	s.without("connect on database allocation", "allocation_app", func() {
		s.refused(s.worker(), []string{"worker", "--http-addr=127.0.0.1:0"}, "Postgres refuses the user allocation_app: permission denied for database")
	})
	s.without("allocation_worker", "allocation_app", func() {
		w := s.startWorker(s.worker())
		await(s.t, waitLimit, w.logged, "permission denied for table")
	})
	s.isRefused("allocation_app", "create temporary table mine ()")
	s.isRefused("allocation_app", "create table mine ()")
	s.isRefused("allocation_operator", "create temporary table mine ()")
	s.isRefused("allocation_operator", "update batches set qty = qty")
	s.isRefused("allocation_operator", "select outbox_make_days(1)")
}

// without takes a right away for a while.
func (s *site) without(right, role string, do func()) {
	s.t.Helper()
	s.administer("allocation", fmt.Sprintf("revoke %s from %s", right, role))
	do()
	s.administer("allocation", fmt.Sprintf("grant %s to %s", right, role))
}

// operatorsErrors is what goes wrong with the operator's commands.
func (s *site) operatorsErrors() (errs string) {
	s.t.Helper()
	for _, command := range [][]string{{"show", "order", "o1"}, {"show", "product", "CHAIR"}, {"show", "batch", "bPLAIN"}} {
		errs += s.run(s.database("allocation_operator"), command...).err
	}
	return errs
}

func (s *site) isRefused(user, statement string) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.databaseURL(user))
	require.NoError(s.t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(s.t.Context(), statement)
	require.ErrorContains(s.t, err, "permission denied", statement)
}
