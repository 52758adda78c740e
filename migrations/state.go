package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// State is what a database has of the schema.
type State struct {
	Database string
	Schema   Schema
	Version  Version
	Roles    Roles
	lines    Lines
	applied  [len(Version{})]map[int64]time.Time // when each version was
	exists   bool                                // the schema
	user     string
	quoted   string // the user, as statements need it
	hidden   string // what the user may not read, without which the version is not known
	roles    string // those of the schema's that the user has
	found    []found
}

// found is an object of this program's names, or the schema itself.
type found struct {
	Object
	there, fits bool // fits: it is of its kind
	owner       string
	super       bool // the owner is a superuser
	owned       bool // the user may do with it what its owner may
}

// lookSQL also tells a database of before the first release, whose tables are in public.
const lookSQL = `
select current_database(), current_user, quote_ident(current_user), current_setting('server_encoding'),
    n.oid is not null, n.oid is not null and not has_schema_privilege(n.oid, 'usage'),
    coalesce((select string_agg(rolname, ' and ' order by rolname) from pg_roles where rolname = any($2) and pg_has_role(oid, 'usage')), ''),
    (select count(*) = 3 from pg_class where relnamespace = to_regnamespace('public') and relname in ('goose_db_version', 'positions', 'kafka_cluster'))
from (select to_regnamespace($1)::oid as oid) n`

// Look finds out what a database has of the schema, as of one moment: somebody may be migrating it.
// Its error tells a person what to mend where Unfit says so.
func Look(ctx context.Context, db *sql.DB, s Schema, lines Lines) (*State, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("look at the schema: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	return look(ctx, tx, s, lines)
}

func look(ctx context.Context, db *sql.Tx, schema Schema, lines Lines) (*State, error) {
	s := State{Schema: schema, lines: lines}
	var err error
	if s.Roles, err = readRoles(ctx, db, schema); err != nil {
		return nil, err
	}
	var closed, before bool
	var encoding string
	err = db.QueryRowContext(ctx, lookSQL, string(schema), s.Roles.Names()).Scan(&s.Database, &s.user, &s.quoted, &encoding, &s.exists, &closed, &s.roles, &before)
	if err != nil {
		return nil, fmt.Errorf("look at the schema: %w", err)
	}
	if encoding != "UTF8" {
		return nil, &UnfitError{fmt.Sprintf("the encoding of the database %s is %s, and must be UTF8: make another, `create database … encoding 'UTF8' template template0`", s.Database, encoding)}
	}
	if closed {
		s.hidden = "schema " + string(schema)
	}
	versioned, err := s.readVersions(ctx, db)
	if err != nil {
		return nil, err
	}
	if before && !versioned && schema == DefaultSchema {
		return nil, &UnfitError{fmt.Sprintf("the database %s has the tables of a version before the first release, in its schema public, and there is no way over: "+
			"use a new database (`create database`, and its URL), or set --database-schema to another name to begin anew beside them", s.Database)}
	}
	return &s, s.find(ctx, db)
}

const versionTableSQL = `
select has_table_privilege(c.oid, 'select'), (select count(*) = 3 from pg_attribute where attrelid = c.oid and attname in ('version_id', 'is_applied', 'tstamp'))
from pg_class c where relname = $2 and relnamespace = to_regnamespace($1)`

// readVersions reads the version of each line that has its table, and reports whether one has.
func (s *State) readVersions(ctx context.Context, db *sql.Tx) (versioned bool, err error) {
	for i, line := range s.lines {
		table := line.table()
		var readable, fits bool
		err := db.QueryRowContext(ctx, versionTableSQL, string(s.Schema), table).Scan(&readable, &fits)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return false, fmt.Errorf("look at the schema: %w", err)
		case !fits:
			return false, &UnfitError{fmt.Sprintf("the table %s in the schema %s of the database %s is another program's: %s", table, s.Schema, s.Database, advice)}
		}
		versioned = true
		if !readable && s.hidden == "" {
			s.hidden = "table " + table
		}
		if s.hidden != "" {
			continue
		}
		if err := s.readVersion(ctx, db, i); err != nil {
			return false, err
		}
	}
	return versioned, nil
}

func (s *State) readVersion(ctx context.Context, db *sql.Tx, line int) error {
	s.applied[line] = map[int64]time.Time{}
	var version int64
	var at time.Time
	each := func() {
		s.applied[line][version] = at
		s.Version[line] = max(s.Version[line], version)
	}
	query := `select version_id, tstamp from ` + pgx.Identifier{string(s.Schema), s.lines[line].table()}.Sanitize() + ` where is_applied`
	if err := ask(ctx, db, query, nil, each, &version, &at); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	return nil
}

// asker is a *sql.DB or a *sql.Tx.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// ask reads each row of an answer into the same variables, and calls each then.
func ask(ctx context.Context, db asker, query string, args []any, each func(), into ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		each()
	}
	return rows.Err()
}

const findSQL = `
select o.n, c.kind is not null, coalesce(c.kind = o.kind, false), coalesce(pg_get_userbyid(c.owner), ''), coalesce(pg_has_role(c.owner, 'usage'), false),
    coalesce((select rolsuper from pg_roles where oid = c.owner), false)
from unnest($2::text[], $3::text[]) with ordinality o (kind, name, n)
left join lateral (
    select 'schema' as kind, nspowner as owner from pg_namespace where o.kind = 'schema' and nspname = o.name
    union all
    select case when relkind in ('r', 'p') then 'table' else 'other' end, relowner from pg_class
    where o.kind = 'table' and relname = o.name and relnamespace = to_regnamespace($1)
    union all
    select 'function', proowner from pg_proc where o.kind = 'function' and proname = o.name and pronamespace = to_regnamespace($1)
    union all
    select 'type', typowner from pg_type where o.kind = 'type' and typname = o.name and typnamespace = to_regnamespace($1)
    limit 1) c on true
order by o.n`

// theSchema is the kind of the schema itself, which an administrator may have made.
const theSchema Kind = "schema"

func (s *State) find(ctx context.Context, db *sql.Tx) error {
	objects := []Object{{Kind: theSchema, Name: string(s.Schema)}}
	for i, line := range s.lines {
		objects = append(objects, Object{Kind: Table, Name: line.table(), Line: i})
	}
	objects = append(objects, s.lines.Objects()...)
	kinds, names := make([]string, len(objects)), make([]string, len(objects))
	for i, o := range objects {
		kinds[i], names[i] = string(o.Kind), o.Name
	}
	var n int
	var f found
	each := func() {
		f.Object = objects[n-1]
		s.found = append(s.found, f)
	}
	args := []any{string(s.Schema), kinds, names}
	if err := ask(ctx, db, findSQL, args, each, &n, &f.there, &f.fits, &f.owner, &f.owned, &f.super); err != nil {
		return fmt.Errorf("look for the tables: %w", err)
	}
	return nil
}

// advice is what to do where others have taken the place.
const advice = "give this service a schema of its own (--database-schema), or a database of its own (`create database`, and its URL)"

// Own returns an *UnfitError where the versions do not tell of this program's tables: another
// program uses the same tables for versions, or tables are missing, or others are in the way.
func (s *State) Own() error {
	if s.hidden != "" {
		return s.denied()
	}
	var missing, odd, others []string
	for _, f := range s.found {
		switch {
		case f.Kind == Function, f.Kind == theSchema, s.hasVersions(f.Name):
		case f.in(s.Version) && !f.there:
			missing = append(missing, f.Name)
		case f.in(s.Version) && !f.fits:
			odd = append(odd, f.Name)
		case !f.in(s.Version) && f.there:
			others = append(others, f.Name)
		}
	}
	switch {
	case len(missing) > 0:
		return &UnfitError{fmt.Sprintf("the schema %s of the database %s says that it is at %s, and %s missing: the versions are another program's, or tables were lost; %s, or restore it",
			s.Schema, s.Database, s.lines.Say(s.Version), are(missing), advice)}
	case len(odd) > 0:
		return &UnfitError{fmt.Sprintf("in the schema %s of the database %s %s no table of this service, but a view or the like in its place; %s", s.Schema, s.Database, are(odd), advice)}
	case len(others) > 0:
		return &UnfitError{fmt.Sprintf("in the schema %s of the database %s %s there, and the schema of this service at %s has none: another program's; %s",
			s.Schema, s.Database, are(others), s.lines.Say(s.Version), advice)}
	}
	return nil
}

// hasVersions reports whether a table is the one of a line's versions.
func (s *State) hasVersions(table string) bool {
	return slices.ContainsFunc(s.lines, func(line *Line) bool { return line.table() == table })
}

// denied says how a user comes to see the version.
func (s *State) denied() error {
	if s.roles != "" {
		return &UnfitError{fmt.Sprintf("permission denied for %s: the user %s of the database %s has the role %s, which lacks its rights, as after a dump that was restored "+
			"without privileges: as the owner of the tables, `migrate up` of this program grants them again", s.hidden, s.user, s.Database, s.roles)}
	}
	return &UnfitError{fmt.Sprintf("permission denied for %s: the user %s may not read it in the database %s; as an administrator, `grant %s to %s` for a worker, "+
		"or `grant %s to %s` for a person", s.hidden, s.user, s.Database, Quote(s.Roles.Worker), s.quoted, Quote(s.Roles.Operator), s.quoted)}
}

func are(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return few(names) + " are"
}
