package migrations

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// TableRight is something that a role may do with a table, or with a column of it.
type TableRight struct{ Table, What, Column string }

// WorkerRights are what the role of workers may do with tables, by table.
func (l Lines) WorkerRights() []TableRight {
	return l.rights(func(line *Line) map[string]string { return line.Worker })
}

// OperatorRights are what the role of operators may do with tables, by table.
func (l Lines) OperatorRights() []TableRight {
	return l.rights(func(line *Line) map[string]string { return line.Operator })
}

// rights are those of a role, and that it may read the versions of each line.
func (l Lines) rights(ofRole func(*Line) map[string]string) (all []TableRight) {
	of := map[string]string{}
	for _, line := range l {
		maps.Copy(of, ofRole(line))
		of[line.table()] = "select"
	}
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

// declared is a right of a role on an object.
type declared struct {
	Role string `json:"role"`
	Kind Kind   `json:"kind"`
	Name string `json:"id"`
	What string `json:"what"`
	Col  string `json:"col"`
}

// declare has all rights of the roles, as declaredSQL reads them.
func declare(s Schema, lines Lines, roles Roles) []byte {
	var all []declared
	for role, rights := range map[string][]TableRight{roles.Worker: lines.WorkerRights(), roles.Operator: lines.OperatorRights()} {
		all = append(all, declared{role, theSchema, string(s), "usage", ""})
		for _, r := range rights {
			all = append(all, declared{role, Table, r.Table, r.What, r.Column})
		}
	}
	for _, function := range lines.named(Function) {
		role := roles.Worker
		if slices.Contains(OperatorsFunctions, function) {
			role = roles.Operator
		}
		all = append(all, declared{role, Function, function, "execute", ""})
		if lines.operatorsToo(function) {
			all = append(all, declared{roles.Operator, Function, function, "execute", ""})
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // they are texts
	}
	return text
}

func (l Lines) operatorsToo(function string) bool {
	return slices.ContainsFunc(l, func(line *Line) bool { return slices.Contains(line.OperatorsToo, function) })
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

// Of a name there may be two functions: one is called by workers of the version before. A column
// may not be there, as in the schema of the version before.
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
