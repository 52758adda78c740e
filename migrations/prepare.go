package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// UnfitError says what nothing but a person mends: the database is not this program's, or not all
// of it is there, or the user may not do what is to be done. Nothing was changed.
type UnfitError struct{ says string }

func (e *UnfitError) Error() string { return e.says }

// unfit is the error of these problems; nil where there are none.
func unfit(problems []string) error {
	switch len(problems) {
	case 0:
		return nil
	case 1:
		return &UnfitError{problems[0]}
	}
	return &UnfitError{"nothing was changed:\n- " + strings.Join(problems, "\n- ")}
}

// oldestServer is the first version of Postgres that is supported.
const oldestServer = 15

const fitnessSQL = `
select current_setting('server_version_num')::integer / 10000, current_setting('server_version'),
    current_setting('transaction_read_only') = 'on', pg_is_in_recovery(),
    has_database_privilege(current_database(), 'create'),
    (select rolsuper or rolcreaterole from pg_roles where rolname = current_user),
    coalesce((select has_language_privilege(oid, 'usage') from pg_language where lanname = 'plpgsql'), false), quote_ident($1) <> $1`

// fitness is what a server and a user have.
type fitness struct {
	server                   int
	serverVersion            string
	readOnly, standby        bool
	mayCreate, mayCreateRole bool
	roles                    []role
	mayUseLanguage           bool
	keyword                  bool // the schema's name
}

// prepare checks all that migrating needs, before anything is changed. Then it makes the schema and
// the default roles that are missing. It returns the names of the roles, and those that it may go
// on without.
func prepare(ctx context.Context, db *sql.DB, o Options) (roles Roles, missing []string, err error) {
	s, err := Check(ctx, db, o.Schema, o.Lines)
	if err != nil {
		return roles, nil, err
	}
	roles = o.Roles.or(s.Roles)
	var f fitness
	err = db.QueryRowContext(ctx, fitnessSQL, string(o.Schema)).Scan(&f.server, &f.serverVersion, &f.readOnly, &f.standby,
		&f.mayCreate, &f.mayCreateRole, &f.mayUseLanguage, &f.keyword)
	if err != nil {
		return roles, nil, fmt.Errorf("look at the database: %w", err)
	}
	if f.roles, err = lookAtRoles(ctx, db, o.Schema, roles); err != nil {
		return roles, nil, err
	}
	if err := unfit(f.problems(s, o.WithoutRoles)); err != nil {
		return roles, nil, err
	}
	var statements []string
	if !s.exists {
		statements = append(statements, "create schema "+string(s.Schema))
	}
	toMake, missing := f.missing()
	statements = append(statements, CreateRoles(toMake)...)
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil && !isThere(err) {
			return roles, nil, fmt.Errorf("%s: %w", statement, err)
		}
	}
	return roles, missing, nil
}

// missing are the roles that there are not: those that the user may make, and the others.
func (f *fitness) missing() (toMake, others []string) {
	for _, r := range f.roles {
		switch {
		case r.there:
		case r.standard && f.mayCreateRole:
			toMake = append(toMake, r.name)
		default:
			others = append(others, r.name)
		}
	}
	return toMake, others
}

// isThere reports whether another migration was faster.
func isThere(err error) bool {
	const duplicateObject, duplicateSchema, uniqueViolation = "42710", "42P06", "23505"
	pg := (*pgconn.PgError)(nil)
	return errors.As(err, &pg) && slices.Contains([]string{duplicateObject, duplicateSchema, uniqueViolation}, pg.Code)
}

// Check finds out whether the schema is this program's and the user may change it. Unfit tells of
// its error whether a person must mend something.
func Check(ctx context.Context, db *sql.DB, schema Schema, lines Lines) (*State, error) {
	s, err := Look(ctx, db, schema, lines)
	if err != nil {
		return nil, err
	}
	problems := s.ownership()
	if err := s.Own(); err != nil && (s.hidden == "" || len(problems) == 0) {
		return nil, err
	}
	return s, unfit(problems)
}

func (f *fitness) problems(s *State, withoutRoles bool) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if s.Version.Older(s.lines.Latest()) {
		f.unfitTables(s, say)
	}
	f.unfitRoles(s, withoutRoles, say)
	return all
}

// unfitRoles says what keeps the roles from getting their rights.
func (f *fitness) unfitRoles(s *State, withoutRoles bool, say func(format string, args ...any)) {
	if f.roles[0].name == f.roles[1].name {
		say("workers and operators have one role, %s: name two with --worker-role and --operator-role", f.roles[0].name)
	}
	var missing []string
	for _, r := range f.roles {
		switch problem := r.problem(); {
		case !r.there && (withoutRoles || r.standard && f.mayCreateRole):
		case problem != "":
			say("%s", problem)
		case !r.there:
			missing = append(missing, r.name)
		}
	}
	if len(missing) > 0 {
		say("roles are missing, and the user %s may not create them: as an administrator, `%s`; or name existing ones with --worker-role and --operator-role; "+
			"or go on with --without-roles, where all log in as the owner", s.user, strings.Join(CreateRoles(missing), "; "))
	}
}

// unfitTables says what keeps tables from being made.
func (f *fitness) unfitTables(s *State, say func(format string, args ...any)) {
	if f.server < oldestServer {
		say("the server is Postgres %s; it must be at least %d", f.serverVersion, oldestServer)
	}
	if f.keyword {
		say("%s is a word of SQL, which has to be quoted everywhere: choose another --database-schema", s.Schema)
	}
	switch {
	case f.standby:
		say("the server is a standby, which cannot be written to: name the primary in DATABASE_URL")
	case f.readOnly:
		say("transactions of the user %s in the database %s are read only: `alter role %s reset default_transaction_read_only`, or the same for the database", s.user, s.Database, s.quoted)
	}
	if !s.exists && !f.mayCreate {
		say("the user %s may not make the schema %s in the database %s: as its owner, `create schema %[2]s authorization %[4]s`", s.user, s.Schema, s.Database, s.quoted)
	}
	if !f.mayUseLanguage {
		say("the user %s may not write functions in plpgsql: as an administrator, `create language plpgsql` or `grant usage on language plpgsql to %s`", s.user, s.quoted)
	}
}

// ownership lists what the user cannot change, because others own it.
func (s *State) ownership() (problems []string) {
	of, super := map[string][]string{}, map[string]bool{}
	var owners []string
	for _, f := range s.found {
		if !f.there || s.hidden == "" && !f.in(s.Version) || f.owned {
			continue
		}
		if of[f.owner] == nil {
			owners = append(owners, f.owner)
		}
		of[f.owner], super[f.owner] = append(of[f.owner], f.Name), f.super
	}
	for _, owner := range owners {
		problem := fmt.Sprintf("the user %s may not change what %s owns (%s): migrate as %s", s.user, owner, few(of[owner]), owner)
		if !super[owner] { // else the user would be a superuser, too
			problem += fmt.Sprintf(", or `grant \"%s\" to \"%s\"`", owner, s.user)
		}
		problems = append(problems, problem)
	}
	return problems
}

// few are names, as many as a sentence bears.
func few(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// Unfit reports whether an error says that nothing but a person mends what it is about.
func Unfit(err error) bool {
	unfit := (*UnfitError)(nil)
	return errors.As(err, &unfit)
}
