package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// Reach is what a role may do with the schema or an object in it, though nobody declared that.
type Reach struct {
	Role   string // or PUBLIC
	Object string // a right on it, of the schema's own roles
	usual  bool   // Postgres gives everybody this right on everything of its kind
	revoke string // the statement that ends it
}

// Reaches are all rights that nobody declared.
type Reaches struct {
	Others  []Reach // of roles that are neither the owner nor one of the schema's
	Excess  []Reach // of the schema's roles
	Members []Reach // what the schema's roles have by being members of others, which nothing here ends
}

// oursSQL finds the schema and what the migrations made in it, with the rights on it: tables and
// their columns, the outbox' days, sequences of tables, functions and types.
const oursSQL = `
with tables as (
    select oid, relname::text as id, relowner as owner, relacl as acl from pg_class
    where relnamespace = to_regnamespace($1) and relkind in ('r', 'p') and (relname = any($2) or relname ~ '^outbox_[0-9]{8}$')),
sequences as (
    select s.oid, s.relname::text as id, s.relowner as owner, s.relacl as acl from pg_class s
    where s.relkind = 'S' and exists (select from pg_depend where classid = 'pg_class'::regclass and objid = s.oid
        and refclassid = 'pg_class'::regclass and refobjid in (select oid from tables) and deptype in ('a', 'i'))),
ours as (
    select 'schema' as kind, nspname::text as id, oid::regnamespace::text as name, '' as col, nspowner as owner, nspacl as acl
    from pg_namespace where nspname = $1
    union all
    select 'table', id, oid::regclass::text, '', owner, coalesce(acl, acldefault('r', owner)) from tables
    union all
    select 'table', id, oid::regclass::text, attname, owner, attacl from tables join pg_attribute on attrelid = oid and attacl is not null and not attisdropped
    union all
    select 'sequence', id, oid::regclass::text, '', owner, coalesce(acl, acldefault('s', owner)) from sequences
    union all
    select 'function', proname, oid::regprocedure::text, '', proowner, coalesce(proacl, acldefault('f', proowner)) from pg_proc
    where pronamespace = to_regnamespace($1) and proname = any($3)
    union all
    select 'type', typname, oid::regtype::text, '', typowner, coalesce(typacl, acldefault('T', typowner)) from pg_type
    where typnamespace = to_regnamespace($1) and typname = any($4)),
reach as (
    select kind, id, name, col, grantee, lower(privilege_type) as what, is_grantable,
        case grantee when 0 then 'PUBLIC' else pg_get_userbyid(grantee)::text end as role
    from ours, aclexplode(acl) where grantee <> owner)`

const othersSQL = oursSQL + `
select distinct role, kind || ' ' || name, grantee = 0 and kind in ('function', 'type'),
    format('revoke all on %s %s from %s cascade', kind, name, case grantee when 0 then 'public' else quote_ident(role) end)
from reach where grantee = 0 or role <> all($5) order by 1, 2`

// Undeclared finds the rights on what the migrations made that nobody declared. What Postgres gives
// everybody, as the right to call a function, is among them.
func Undeclared(ctx context.Context, db asker, s Schema, lines Lines, roles Roles) (found Reaches, err error) {
	for _, part := range []struct {
		into  *[]Reach
		query string
		of    any
	}{
		{&found.Others, othersSQL, roles.Names()}, {&found.Excess, excessSQL, declare(s, lines, roles)}, {&found.Members, membersSQL, roles.Names()},
	} {
		var r Reach
		each := func() { *part.into = append(*part.into, r) }
		if err := ask(ctx, db, part.query, append(ours(s, lines), part.of), each, &r.Role, &r.Object, &r.usual, &r.revoke); err != nil {
			return found, fmt.Errorf("look for rights: %w", err)
		}
	}
	return found, nil
}

// ours are the arguments that oursSQL needs.
func ours(s Schema, lines Lines) []any {
	tables := lines.named(Table)
	for _, line := range lines {
		tables = append(tables, line.table())
	}
	return []any{string(s), tables, lines.named(Function), lines.named(Type)}
}

// named are the names of objects of a kind.
func (l Lines) named(kind Kind) (names []string) {
	for _, o := range l.Objects() {
		if o.Kind == kind {
			names = append(names, o.Name)
		}
	}
	return names
}

// setRights gives the owner and the two roles the rights that are declared, and nobody else any:
// default privileges give some to everything that is new. It returns what it found, but for what
// Postgres gives everybody, and the statements that gave the roles rights.
func setRights(ctx context.Context, db *sql.DB, s Schema, lines Lines, roles Roles) (found Reaches, granted []string, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return found, nil, fmt.Errorf("set rights: %w", err)
	}
	defer tx.Rollback()                                                       //nolint:errcheck // of what was not committed
	if _, err := tx.ExecContext(ctx, maintenanceSQL, string(s)); err != nil { // so nobody else sets rights, too
		return found, nil, fmt.Errorf("set rights: %w", err)
	}
	if err := rememberRoles(ctx, tx, s, roles); err != nil {
		return found, nil, err
	}
	if found, err = Undeclared(ctx, tx, s, lines, roles); err != nil {
		return found, nil, err
	}
	for _, r := range slices.Concat(found.Others, found.Excess) {
		if err := execute(ctx, tx, r.revoke); err != nil {
			return found, nil, err
		}
	}
	if granted, err = lacking(ctx, tx, s, lines, roles); err != nil { // after revokes, which may take too much
		return found, nil, err
	}
	if err := execute(ctx, tx, granted...); err != nil {
		return found, nil, err
	}
	if err := tx.Commit(); err != nil {
		return found, nil, fmt.Errorf("set rights: %w", err)
	}
	found.Others = slices.DeleteFunc(found.Others, func(r Reach) bool { return r.usual })
	return found, granted, nil
}

func execute(ctx context.Context, tx *sql.Tx, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// lacking are the statements that give the roles what is declared and they lack.
func lacking(ctx context.Context, db asker, s Schema, lines Lines, roles Roles) (statements []string, err error) {
	var statement string
	each := func() { statements = append(statements, statement) }
	if err := ask(ctx, db, lackingSQL, append(ours(s, lines), declare(s, lines, roles)), each, &statement); err != nil {
		return nil, fmt.Errorf("look for the rights of roles: %w", err)
	}
	return statements, nil
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
