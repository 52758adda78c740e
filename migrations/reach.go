package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Reach is what a role may do with the schema or an object in it, though it is neither the owner
// nor one of the schema's roles.
type Reach struct {
	Role   string // or PUBLIC
	Object string
	usual  bool   // Postgres gives everybody this right on everything of its kind
	revoke string // the statement that ends it
}

// OperatorsFunctions are for operators. All others are for workers.
var OperatorsFunctions = []string{"decide_position"}

// oursSQL finds the schema and what the migrations made in it, with the rights on it: tables, the
// outbox' days, sequences of tables, functions and types. Of columns, the rights are their table's
// matter.
const oursSQL = `
with tables as (
    select oid, relowner as owner, relacl as acl from pg_class
    where relnamespace = to_regnamespace($1) and relkind in ('r', 'p') and (relname = any($2) or relname ~ '^outbox_[0-9]{8}$')),
sequences as (
    select s.oid, s.relowner as owner, s.relacl as acl from pg_class s
    where s.relkind = 'S' and exists (select from pg_depend where classid = 'pg_class'::regclass and objid = s.oid
        and refclassid = 'pg_class'::regclass and refobjid in (select oid from tables) and deptype in ('a', 'i'))),
ours as (
    select 'schema' as kind, oid::regnamespace::text as name, nspowner as owner, nspacl as acl from pg_namespace where nspname = $1
    union all
    select 'table', oid::regclass::text, owner, coalesce(acl, acldefault('r', owner)) from tables
    union all
    select 'table', oid::regclass::text, owner, attacl from tables join pg_attribute on attrelid = oid and attacl is not null
    union all
    select 'sequence', oid::regclass::text, owner, coalesce(acl, acldefault('s', owner)) from sequences
    union all
    select 'function', oid::regprocedure::text, proowner, coalesce(proacl, acldefault('f', proowner)) from pg_proc
    where pronamespace = to_regnamespace($1) and proname = any($3)
    union all
    select 'type', oid::regtype::text, typowner, coalesce(typacl, acldefault('T', typowner)) from pg_type
    where typnamespace = to_regnamespace($1) and typname = any($4)),
reach as (
    select distinct kind, name, owner, grantee, case grantee when 0 then 'PUBLIC' else pg_get_userbyid(grantee)::text end as role
    from ours, aclexplode(acl) where grantee <> owner)`

const reachSQL = oursSQL + `
select role, kind || ' ' || name, grantee = 0 and kind in ('function', 'type'),
    format('revoke all on %s %s from %s cascade', kind, name, case grantee when 0 then 'public' else quote_ident(role) end)
from reach where role <> all($5) order by 1, 2`

// grantsSQL makes sure that the two roles can call what they could call only as everybody.
const grantsSQL = oursSQL + `
select format('grant execute on function %s to %I', p.oid::regprocedure, r.rolname)
from pg_proc p join pg_roles r on r.rolname = case when proname = any($5) then $6 else $7 end
where pronamespace = to_regnamespace($1) and proname = any($3)
    and not exists (select from reach where kind = 'function' and name = p.oid::regprocedure::text and role = r.rolname)
order by 1`

// asker is a *sql.DB or a *sql.Tx.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Others are the rights of others on what the migrations made. What Postgres gives everybody, as
// the right to call a function, is among them.
func Others(ctx context.Context, db asker, s Schema) (all []Reach, err error) {
	rows, err := db.QueryContext(ctx, reachSQL, append(ours(s), s.Roles())...)
	if err != nil {
		return nil, fmt.Errorf("look for the rights of others: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r Reach
		if err := rows.Scan(&r.Role, &r.Object, &r.usual, &r.revoke); err != nil {
			return nil, fmt.Errorf("look for the rights of others: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// ours are the arguments that oursSQL needs.
func ours(s Schema) []any {
	return []any{string(s), append(named(Table), versionTables[:]...), named(Function), named(Type)}
}

// named are the names of objects of a kind.
func named(kind Kind) (names []string) {
	for _, o := range Objects() {
		if o.Kind == kind {
			names = append(names, o.Name)
		}
	}
	return names
}

// setRights takes all rights from others than the owner and the roles, since default privileges
// give some to everything that is new, and gives the roles theirs. It returns what others had, but
// for what Postgres gives everybody, and the statements that gave the roles rights on tables.
func setRights(ctx context.Context, db *sql.DB, s Schema) (revoked []Reach, granted []string, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("set rights: %w", err)
	}
	defer func() { err = errors.Join(err, undone(tx.Rollback())) }()
	if _, err := tx.ExecContext(ctx, maintenanceSQL, string(s)); err != nil { // so nobody else sets rights, too
		return nil, nil, fmt.Errorf("set rights: %w", err)
	}
	statements, err := grantsBy(ctx, tx, grantsSQL, append(ours(s), OperatorsFunctions, s.Operator(), s.Worker())...)
	if err != nil {
		return nil, nil, err
	}
	others, err := Others(ctx, tx, s)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range others {
		statements = append(statements, r.revoke)
	}
	if err := execute(ctx, tx, statements); err != nil {
		return nil, nil, err
	}
	if granted, err = lacking(ctx, tx, s); err != nil { // now that nobody has rights as one of all
		return nil, nil, err
	}
	if err := execute(ctx, tx, granted); err != nil {
		return nil, nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, nil, fmt.Errorf("set rights: %w", err)
	}
	return slices.DeleteFunc(others, func(r Reach) bool { return r.usual }), granted, nil
}

func execute(ctx context.Context, tx *sql.Tx, statements []string) error {
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// undone leaves out that a transaction had ended before.
func undone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// grantsBy asks for statements that give the roles rights.
func grantsBy(ctx context.Context, db asker, query string, args ...any) (statements []string, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("look for the rights of roles: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var statement string
		if err := rows.Scan(&statement); err != nil {
			return nil, fmt.Errorf("look for the rights of roles: %w", err)
		}
		statements = append(statements, statement)
	}
	return statements, rows.Err()
}

// Describe says who reaches what, a line for each role.
func Describe(all []Reach) (lines []string) {
	objects := map[string][]string{}
	var roles []string
	for _, r := range all {
		if objects[r.Role] == nil {
			roles = append(roles, r.Role)
		}
		objects[r.Role] = append(objects[r.Role], r.Object)
	}
	for _, role := range roles {
		lines = append(lines, fmt.Sprintf("%s: %s", role, few(objects[role])))
	}
	return lines
}
