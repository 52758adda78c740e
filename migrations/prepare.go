package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// UnfitError lists what keeps a database from being migrated. Nothing was changed.
type UnfitError struct{ Problems []string }

func (e *UnfitError) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0]
	}
	return "nothing was changed:\n- " + strings.Join(e.Problems, "\n- ")
}

// oldestServer is the first version of Postgres that has all that the migrations use.
const oldestServer = 14

const fitnessSQL = `
select current_setting('server_version_num')::integer / 10000, current_setting('server_version'), current_user, quote_ident(current_user),
    current_setting('transaction_read_only') = 'on', pg_is_in_recovery(),
    has_schema_privilege('public', 'create'),
    (select rolsuper or rolcreaterole from pg_roles where rolname = current_user),
    coalesce((select string_agg(format('create role %I nologin', name), '; ') from unnest($1::text[]) name where to_regrole(name) is null), ''),
    coalesce((select has_language_privilege(oid, 'usage') from pg_language where lanname = 'plpgsql'), false)`

// fitness is what a server, a database and a user have.
type fitness struct {
	server                   int
	serverVersion            string
	user, quoted             string
	readOnly, standby        bool
	mayCreate, mayCreateRole bool
	rolesMissing             string // the statements that make them
	mayUseLanguage           bool
}

// prepare checks all that migrating needs, before anything is changed.
func prepare(ctx context.Context, db *sql.DB) error {
	s, err := check(ctx, db)
	if err != nil || s.Version >= Latest() {
		return err
	}
	var f fitness
	err = db.QueryRowContext(ctx, fitnessSQL, Roles).Scan(&f.server, &f.serverVersion, &f.user, &f.quoted, &f.readOnly, &f.standby,
		&f.mayCreate, &f.mayCreateRole, &f.rolesMissing, &f.mayUseLanguage)
	if err != nil {
		return fmt.Errorf("look at the database: %w", err)
	}
	if problems := f.problems(s.Database); len(problems) > 0 {
		return &UnfitError{problems}
	}
	return nil
}

// Check finds out whether the schema is this program's and the user may change it. Unfit tells of
// its error whether a person must mend something.
func Check(ctx context.Context, db *sql.DB) error {
	_, err := check(ctx, db)
	return err
}

func check(ctx context.Context, db *sql.DB) (*State, error) {
	s, err := Look(ctx, db)
	if err != nil {
		return nil, err
	}
	problems := s.ownership()
	if err := s.Own(); err != nil && (!s.hidden || len(problems) == 0) {
		return nil, err
	}
	if len(problems) > 0 {
		return nil, &UnfitError{problems}
	}
	return s, nil
}

func (f *fitness) problems(database string) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if f.server < oldestServer {
		say("the server is Postgres %s; it must be at least %d", f.serverVersion, oldestServer)
	}
	switch {
	case f.standby:
		say("the server is a standby, which cannot be written to: name the primary in DATABASE_URL")
	case f.readOnly:
		say("transactions of the user %s in the database %s are read only: `alter role %s reset default_transaction_read_only`, or the same for the database", f.user, database, f.quoted)
	}
	if !f.mayCreate {
		say("the user %s may not make tables in the schema public of the database %s: as its owner, `grant usage, create on schema public to %s`", f.user, database, f.quoted)
	}
	if !f.mayUseLanguage {
		say("the user %s may not write functions in plpgsql: as an administrator, `create language plpgsql` or `grant usage on language plpgsql to %s`", f.user, f.quoted)
	}
	if f.rolesMissing != "" && !f.mayCreateRole {
		say("roles are missing, and the user %s may not create them: as an administrator, `%s`", f.user, f.rolesMissing)
	}
	return all
}

// ownership lists what the user cannot change, because others own it.
func (s *State) ownership() (problems []string) {
	of, super := map[string][]string{}, map[string]bool{}
	var owners []string
	for _, f := range s.found {
		if !f.there || !s.hidden && f.Version > s.Version || f.owned {
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
	var (
		foreign  *ForeignError
		unfit    *UnfitError
		encoding *EncodingError
		right    *SchemaRightError
	)
	return errors.As(err, &foreign) || errors.As(err, &unfit) || errors.As(err, &encoding) || errors.As(err, &right)
}
