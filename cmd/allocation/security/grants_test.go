package security

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// operatorNeeds has a command for each right of the operator's role that fails without it. NONE is
// a product of a dead letter.
var operatorNeeds = map[string][]string{
	"select on batch_keys":                  {"verify"},
	"select on batches":                     {"show", "batch", "bPLAIN"},
	"select on claims":                      {"explain", "order", "o1"},
	"select on dead_letters":                {"dlq", "list"},
	"select on migrations_engine":           {"show", "order", "o1"},
	"select on migrations_products":         {"show", "order", "o1"},
	"select on held_commands":               {"dlq", "list"},
	"select on fetch_troubles":              {"offsets", "list"},
	"select on held_keys":                   {"show", "product", "CHAIR"},
	"select on kafka_cluster":               {"offsets", "list"},
	"select on lines":                       {"show", "order", "o1"},
	"select on offset_decisions":            {"offsets", "list", "--history"},
	"select on outbox":                      {"explain", "order", "o1"},
	"select on positions":                   {"offsets", "list"},
	"select on product_keys":                {"verify"},
	"select on products":                    {"verify"},
	"select on transactions":                {"explain", "order", "o1"},
	"select on unparked_commands":           {"explain", "command", "warehouse.commands.0.0"},
	"select on worker_nonces":               {"status"},
	"update(attempts) on dead_letters":      {"dlq", "retry", "--sku=NONE"},
	"update(batch_problem) on dead_letters": {"dlq", "retry", "--sku=NONE"},
	"update(batch_room) on dead_letters":    {"dlq", "retry", "--sku=NONE"},
	"update(resolved_at) on dead_letters":   {"dlq", "discard", "--sku=NONE"},
	"update(state) on dead_letters":         {"dlq", "retry", "--sku=NONE"},
	"execute on function decide_position":   {"offsets", "reset", "--topic=warehouse.commands", "--to-latest", "--execute"},
	"execute on function lines_to_release":  {"try", "ChangeBatchQuantity", "batchref=bPLAIN", "qty=0"},
	"execute on function lines_that_wait":   {"try", "CreateBatch", "ref=bMORE", "sku=CHAIR", "qty=9"},
	"execute on function outbox_days":       {"explain", "command", "nope"},
}

// needsEachGrant: each right of operators and logins is missed when it is taken away. The store's
// tests show what a worker's role needs, and what the roles may not do. The service's show what a
// worker says without a right.
func needsEachGrant(s *site) {
	require.Equal(s.t, s.operatorsRights(), slices.Sorted(maps.Keys(operatorNeeds)))
	for right, command := range operatorNeeds {
		s.without(right, "allocation_operator", func() {
			_, object, _ := strings.Cut(right, " on ")
			if !strings.Contains(object, " ") {
				object = "table " + object
			}
			s.refused(s.operator(), command, "permission denied for "+object)
		})
	}
	show, work := []string{"show", "order", "o1"}, []string{"worker", "--http-addr=127.0.0.1:0"}
	s.without("allocation_operator", "allocation_ops", func() {
		s.refused(s.operator(), show, "permission denied for schema allocation")
	})
	s.without("connect on database allocation", "allocation_ops", func() {
		s.refused(s.operator(), show, "Postgres refuses the user allocation_ops: permission denied for database")
	})
	s.without("connect on database allocation", "allocation_app", func() {
		s.refused(s.worker(), work, "Postgres refuses the user allocation_app: permission denied for database")
	})
	for _, user := range []string{"allocation_app", "allocation_ops"} {
		_, err := testbed.Connect(s.t, s.databaseURL(user)).Exec(s.t.Context(), "create temporary table mine ()")
		require.ErrorContains(s.t, err, "permission denied")
	}
}

// operatorsRights are the rights that the migrations give to the role.
func (s *site) operatorsRights() []string {
	s.t.Helper()
	return slices.Sorted(slices.Values(programtest.Query[string](s.t, s.superuserURL("allocation"), `
select lower(privilege_type) || ' on ' || table_name from information_schema.role_table_grants where grantee = 'allocation_operator'
union all
select format('update(%s) on %s', column_name, table_name) from information_schema.column_privileges where grantee = 'allocation_operator' and privilege_type <> 'SELECT'
union all
select 'execute on function ' || routine_name from information_schema.role_routine_grants where grantee = 'allocation_operator'`)))
}

// without takes a right away for a while.
func (s *site) without(right, role string, do func()) {
	s.t.Helper()
	s.administer("allocation", fmt.Sprintf("revoke %s from %s", right, role))
	do()
	s.administer("allocation", fmt.Sprintf("grant %s to %s", right, role))
}
