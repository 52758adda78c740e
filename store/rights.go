package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"allocation/migrations"
)

// RightsError says that Postgres does not let a worker do what it must. Waiting does not mend that:
// the statements in its text do.
type RightsError struct{ says []string }

func (e *RightsError) Error() string { return strings.Join(e.says, "; and ") }

const rightsSQL = `
with needs as (
    select c.oid, n.name, n.what, n.col from unnest($1::text[], $2::text[], $3::text[]) n (name, what, col)
    join pg_class c on c.relname = n.name and c.relnamespace = to_regnamespace($5)
    where n.col = '' or exists (select from pg_attribute where attrelid = c.oid and attname = n.col)),
lacking as (
    select format('grant %s on %I.%I to %I', string_agg(what || case when col = '' then '' else format('(%I)', col) end, ', '), $5, name, $6::text) as statement
    from needs where not case when col = '' then has_table_privilege(oid, what) else has_column_privilege(oid, col, what) end
    group by name
    union all
    select format('grant usage on schema %I to %I', nspname, $6) from pg_namespace where nspname = $5 and not has_schema_privilege(oid, 'usage')
    union all
    select format('grant execute on function %I.%I%s to %I', $5, proname,
        case when (select count(*) from pg_proc o where o.proname = f.proname and o.pronamespace = f.pronamespace) > 1
            then format('(%s)', pg_get_function_identity_arguments(oid)) else '' end, $6)
    from pg_proc f where pronamespace = to_regnamespace($5) and proname = any($4) and not has_function_privilege(oid, 'execute')
    order by 1),
hidden as (
    select relname, format('alter table %I.%I %s row level security', $5, relname, case when pg_has_role(relowner, 'usage') then 'no force' else 'disable' end) as statement
    from pg_class where oid in (select oid from needs) and row_security_active(oid)
    order by 1)
select current_user, quote_ident(current_user),
    coalesce((select pg_has_role(oid, 'member') from pg_roles where rolname = $6), false),
    coalesce((select pg_has_role(oid, 'usage') from pg_roles where rolname = $6), false),
    array(select statement from lacking), array(select relname::text from hidden), array(select statement from hidden)`

// CheckRights returns a *RightsError where this user may not do what a worker must, or does not see
// all rows.
func (s *Store) CheckRights(ctx context.Context) error {
	roles, err := s.Roles(ctx)
	if err != nil {
		return err
	}
	lines := s.service.Lines()
	var tables, rights, columns []string
	for _, r := range lines.WorkerRights() {
		tables, rights, columns = append(tables, r.Table), append(rights, r.What), append(columns, r.Column)
	}
	var functions []string
	for _, o := range lines.Objects() {
		if o.Kind == migrations.Function && !slices.Contains(migrations.OperatorsFunctions, o.Name) {
			functions = append(functions, o.Name)
		}
	}
	f := rightsFound{role: roles.Worker}
	row := s.pool.QueryRow(ctx, rightsSQL, tables, rights, columns, functions, string(s.schema), roles.Worker)
	if err := row.Scan(&f.user, &f.quoted, &f.member, &f.inherits, &f.lacking, &f.hidden, &f.shows); err != nil {
		return readError("check rights", err)
	}
	if says := f.says(); len(says) > 0 {
		return &RightsError{says}
	}
	return nil
}

// Roles are the names of the schema's roles.
func (s *Store) Roles(ctx context.Context) (migrations.Roles, error) {
	var comment string
	err := s.pool.QueryRow(ctx, migrations.RolesSQL, string(s.schema)).Scan(&comment)
	return s.schema.RolesIn(comment), readError("read the names of the roles", err)
}

// tellDenied has a function called at each error that a right is missing.
func tellDenied(c *pgx.ConnConfig, denied func()) {
	onError := c.OnPgError
	c.OnPgError = func(conn *pgconn.PgConn, pg *pgconn.PgError) bool {
		if pg.Code == codeDenied {
			denied()
		}
		return onError(conn, pg)
	}
}

// rightsFound is what a user lacks.
type rightsFound struct {
	role             string
	user, quoted     string
	member, inherits bool     // of the role of workers
	lacking          []string // the statements that grant it
	hidden, shows    []string // tables with row level security, and the statements that end it
}

func (f *rightsFound) says() (says []string) {
	switch {
	case len(f.lacking) == 0:
	case f.inherits:
		says = append(says, fmt.Sprintf("permission denied: the role %s, which the user %s has, lacks rights: as the owner of the tables, `%s`",
			f.role, f.user, strings.Join(f.lacking, "; ")))
	case f.member:
		says = append(says, fmt.Sprintf("permission denied: the user %[1]s has the role %[2]s and does not inherit its rights: as an administrator, `alter role %[3]s inherit; "+
			"revoke %[4]s from %[3]s; grant %[4]s to %[3]s`", f.user, f.role, f.quoted, migrations.Quote(f.role)))
	default:
		says = append(says, fmt.Sprintf("permission denied: the user %s may not do what a worker must: as an administrator, `grant %s to %s`", f.user, migrations.Quote(f.role), f.quoted))
	}
	if len(f.hidden) > 0 {
		says = append(says, fmt.Sprintf("row level security hides rows of %s from the user %s: as the owner of the tables, `%s`",
			strings.Join(f.hidden, ", "), f.user, strings.Join(f.shows, "; ")))
	}
	return says
}
