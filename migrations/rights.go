package migrations

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// tableRights are what each role needs of tables. What it has besides, by default privileges that
// name it, is not taken away.
var tableRights = map[string]map[string]string{
	"worker": {
		"kafka_cluster":  "select insert",
		"positions":      "select insert update",
		"products":       "select insert update",
		"batches":        "select insert update",
		"lines":          "select insert update",
		"outbox":         "select insert",
		"dead_letters":   "select insert update(state) update(attempts) update(first_event) update(resolved_at) update(batch_room) update(batch_next) update(batch_problem)",
		"held_keys":      "select insert update(source) update(row_no) update(ref) update(attempts) update(held_at) delete",
		"held_commands":  "select insert delete",
		"absences":       "update",
		"product_keys":   "insert",
		"batch_keys":     "insert",
		"fetch_troubles": "select insert update delete",

		"database_identity":   "select",
		"worker_nonces":       "select insert delete",
		"migrations_engine":   "select",
		"migrations_products": "select",
	},
	"operator": {
		"positions":        "select",
		"products":         "select",
		"batches":          "select",
		"lines":            "select",
		"outbox":           "select",
		"dead_letters":     "select update(state) update(attempts) update(resolved_at) update(batch_room) update(batch_problem)",
		"held_keys":        "select",
		"held_commands":    "select",
		"offset_decisions": "select",
		"kafka_cluster":    "select",
		"fetch_troubles":   "select",

		"migrations_engine":   "select",
		"migrations_products": "select",
	},
}

// TableRight is something that a role may do with a table, or with a column of it.
type TableRight struct{ Table, What, Column string }

// TableRights are what one of a schema's roles may do with tables, by table.
func TableRights(role string) (all []TableRight) {
	of := tableRights[role[strings.LastIndexByte(role, '_')+1:]]
	for _, table := range slices.Sorted(maps.Keys(of)) {
		for right := range strings.FieldsSeq(of[table]) {
			what, column, _ := strings.Cut(strings.TrimSuffix(right, ")"), "(")
			all = append(all, TableRight{table, what, column})
		}
	}
	return all
}

const lackingSQL = `
select format('grant usage on schema %I to %I', nspname, rolname) as statement
from pg_namespace n, pg_roles r where nspname = $1::text and rolname = any($2) and not has_schema_privilege(r.oid, n.oid, 'usage')
union all
select format('grant %s on %I.%I to %I', string_agg(what || case when col = '' then '' else format('(%I)', col) end, ', '), $1, name, role)
from unnest($3::text[], $4::text[], $5::text[], $6::text[]) n (role, name, what, col)
join pg_class c on c.relname = n.name and c.relnamespace = to_regnamespace($1)
join pg_roles r on r.rolname = n.role
where not case when col = '' then has_table_privilege(r.oid, c.oid, what) else has_column_privilege(r.oid, c.oid, col, what) end
group by name, role order by 1`

// lacking are the statements that give the roles what they lack on the schema and its tables.
func lacking(ctx context.Context, db asker, s Schema) ([]string, error) {
	var roles, tables, whats, columns []string
	for _, role := range s.Roles() {
		for _, r := range TableRights(role) {
			roles, tables, whats, columns = append(roles, role), append(tables, r.Table), append(whats, r.What), append(columns, r.Column)
		}
	}
	return grantsBy(ctx, db, lackingSQL, string(s), s.Roles(), roles, tables, whats, columns)
}
