package migrations

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// tableRights are what each role needs of tables. It is given nothing else.
var tableRights = map[string]map[string]string{
	"worker": {
		"kafka_cluster":  "select insert",
		"positions":      "select insert update",
		"products":       "select insert update",
		"batches":        "select insert update",
		"lines":          "select insert update",
		"outbox":         "select insert",
		"dead_letters":   "select insert update(state) update(attempts) update(first_event) update(resolved_at) update(batch_room) update(batch_next) update(batch_problem)",
		"held_keys":      "select insert update(source) update(row_no) update(creates) update(attempts) update(held_at) update(waits_until) delete",
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
		"product_keys":     "select",
		"batch_keys":       "select",
		"kafka_cluster":    "select",
		"fetch_troubles":   "select",
		"transactions":     "select",
		"claims":           "select",
		"worker_nonces":    "select",

		"unparked_commands": "select",

		"migrations_engine":   "select",
		"migrations_products": "select",
	},
}

// TableRight is something that a role may do with a table, or with a column of it.
type TableRight struct{ Table, What, Column string }

// WorkerRights are what the role of workers may do with tables, by table.
func WorkerRights() []TableRight { return tableRightsOf("worker") }

// OperatorRights are what the role of operators may do with tables, by table.
func OperatorRights() []TableRight { return tableRightsOf("operator") }

func tableRightsOf(role string) (all []TableRight) {
	of := tableRights[role]
	for _, table := range slices.Sorted(maps.Keys(of)) {
		for right := range strings.FieldsSeq(of[table]) {
			what, column, _ := strings.Cut(strings.TrimSuffix(right, ")"), "(")
			all = append(all, TableRight{table, what, column})
		}
	}
	return all
}

// OperatorsFunctions are for operators. All others are for workers.
var OperatorsFunctions = []string{"decide_position"}

// operatorsToo are functions of workers by which an operator reads as they do.
var operatorsToo = []string{"lines_to_release", "lines_that_wait", "outbox_days"}

// declared is a right of a role on an object.
type declared struct {
	Role string `json:"role"`
	Kind Kind   `json:"kind"`
	Name string `json:"id"`
	What string `json:"what"`
	Col  string `json:"col"`
}

// declare has all rights of the roles, as declaredSQL reads them.
func declare(s Schema, roles Roles) []byte {
	var all []declared
	for role, rights := range map[string][]TableRight{roles.Worker: WorkerRights(), roles.Operator: OperatorRights()} {
		all = append(all, declared{role, theSchema, string(s), "usage", ""})
		for _, r := range rights {
			all = append(all, declared{role, Table, r.Table, r.What, r.Column})
		}
	}
	for _, function := range named(Function) {
		role := roles.Worker
		if slices.Contains(OperatorsFunctions, function) {
			role = roles.Operator
		}
		all = append(all, declared{role, Function, function, "execute", ""})
		if slices.Contains(operatorsToo, function) {
			all = append(all, declared{roles.Operator, Function, function, "execute", ""})
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // they are texts
	}
	return text
}

// declaredSQL has what is declared and what is held by each of the roles itself.
const declaredSQL = oursSQL + `,
declared as (
    select * from jsonb_to_recordset($5::jsonb) d (role text, kind text, id text, what text, col text)),
held as (
    select distinct role, kind, id, name, what, col, is_grantable from reach where role in (select role from declared))`

// A right on a table is one on each of its columns. No role may pass on what it has.
const excessSQL = declaredSQL + `
select role, format('%s%s on %s %s', what, col_list, kind, name), false,
    format('revoke %s%s%s on %s %s from %I cascade', case when ok then 'grant option for ' else '' end, what, col_list, kind, name, role)
from (
    select role, kind, name, what, case when col = '' then '' else format('(%I)', col) end as col_list, bool_or(is_grantable) as grantable,
        exists (select from declared d where d.role = h.role and d.kind = h.kind and d.id = h.id and d.what = h.what and d.col in ('', h.col)) as ok
    from held h group by role, kind, id, name, what, col) h
where grantable or not ok order by 1, 2`

// Of a name there may be two functions: one is called by workers of the version before. A column may
// not be there, as in the schema of the version before.
const lackingSQL = declaredSQL + `
select format('grant %s on %s to %I', string_agg(what || case when col = '' then '' else format('(%I)', col) end, ', ' order by what, col),
    case kind when 'table' then format('%I.%I', $1::text, id) else kind || ' ' || o.name end, role)
from declared d join (select distinct kind, id, name from ours) o using (kind, id) join pg_roles r on r.rolname = d.role
where (d.col = '' or d.kind = 'table' and exists (
        select from tables t join pg_attribute a on a.attrelid = t.oid where t.id = d.id and a.attname = d.col and not a.attisdropped))
    and not exists (select from held h where h.role = d.role and h.kind = d.kind and h.id = d.id and h.name = o.name and h.what = d.what and h.col in ('', d.col))
group by kind, id, o.name, role order by 1`

// What a role has of others, no revoke of its own rights takes away.
const membersSQL = oursSQL + `
select r.rolname, case when r.rolsuper then 'all that a superuser has' else format('all that %I has', g.rolname) end, false, ''
from pg_roles r join pg_roles g on g.oid <> r.oid and pg_has_role(r.oid, g.oid, 'member')
    and (g.rolsuper or g.rolname = any($5) or g.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain') or g.oid in (select owner from ours))
where r.rolname = any($5) group by 1, 2 order by 1, 2`
