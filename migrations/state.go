package migrations

import (
	"context"
	"database/sql"
	"fmt"
)

// versionTable is goose's.
const versionTable = "goose_db_version"

// State is what a database has of the schema.
type State struct {
	Database string
	Version  int64 // 0: none
	user     string
	quoted   string // the user, as statements need it
	hidden   bool   // the user may not read the version
	roles    string // those of Roles that the user has
	found    []found
}

// found is an object of this program's names in the schema public.
type found struct {
	Object
	there, fits bool // fits: it is of its kind
	owner       string
	super       bool // the owner is a superuser
	owned       bool // the user may do with it what its owner may
}

// ForeignError says that the database is not this program's, or not all of it is there.
type ForeignError struct{ says string }

func (e *ForeignError) Error() string { return e.says }

// EncodingError says that a database cannot hold what commands may say.
type EncodingError struct{ database, encoding string }

func (e *EncodingError) Error() string {
	return fmt.Sprintf("the encoding of the database %s is %s, and must be UTF8: make another, `create database … encoding 'UTF8' template template0`", e.database, e.encoding)
}

// SchemaRightError says that the user may not even look into the schema. Waiting does not mend
// that.
type SchemaRightError struct{ says string }

func (e *SchemaRightError) Error() string { return e.says }

const lookSQL = `
select current_database(), current_user, to_regnamespace('public') is not null,
    coalesce((select has_schema_privilege(oid, 'usage') from pg_namespace where nspname = 'public'), false),
    exists (select from pg_class where relname = '` + versionTable + `' and relnamespace = to_regnamespace('public')),
    exists (select from pg_class where relname = '` + versionTable + `' and relnamespace = to_regnamespace('public') and not has_table_privilege(oid, 'select')),
    quote_ident(current_user), current_setting('server_encoding'),
    coalesce((select string_agg(rolname, ' and ' order by rolname) from pg_roles where rolname = any($1) and pg_has_role(oid, 'usage')), '')`

// Look finds out what a database has of the schema, as of one moment: somebody may be migrating it.
// Its error tells a person what to mend where Unfit says so.
func Look(ctx context.Context, db *sql.DB) (*State, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("look at the schema: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	return look(ctx, tx)
}

func look(ctx context.Context, db *sql.Tx) (*State, error) {
	var s State
	var exists, usable, versioned bool
	var encoding string
	err := db.QueryRowContext(ctx, lookSQL, Roles).Scan(&s.Database, &s.user, &exists, &usable, &versioned, &s.hidden, &s.quoted, &encoding, &s.roles)
	if err != nil {
		return nil, fmt.Errorf("look at the schema: %w", err)
	}
	if encoding != "UTF8" {
		return nil, &EncodingError{s.Database, encoding}
	}
	if !exists {
		return nil, &ForeignError{fmt.Sprintf("the database %s has no schema public, where the tables are: as its owner, `create schema public`", s.Database)}
	}
	if !usable {
		return nil, &SchemaRightError{fmt.Sprintf("the user %s may not use the schema public of the database %s: as its owner, `grant usage on schema public to %s`",
			s.user, s.Database, s.quoted)}
	}
	if versioned && !s.hidden {
		if err := db.QueryRowContext(ctx, `select coalesce(max(version_id), 0) from `+versionTable+` where is_applied`).Scan(&s.Version); err != nil {
			return nil, fmt.Errorf("read the schema's version: %w", err)
		}
	}
	return &s, s.find(ctx, db)
}

const findSQL = `
select o.n, c.kind is not null, coalesce(c.kind = o.kind, false), coalesce(pg_get_userbyid(c.owner), ''), coalesce(pg_has_role(c.owner, 'usage'), false),
    coalesce((select rolsuper from pg_roles where oid = c.owner), false)
from unnest($1::text[], $2::text[]) with ordinality o (kind, name, n)
left join lateral (
    select case when relkind in ('r', 'p') then 'table' else 'other' end as kind, relowner as owner from pg_class
    where o.kind = 'table' and relname = o.name and relnamespace = 'public'::regnamespace
    union all
    select 'function', proowner from pg_proc where o.kind = 'function' and proname = o.name and pronamespace = 'public'::regnamespace
    union all
    select 'type', typowner from pg_type where o.kind = 'type' and typname = o.name and typnamespace = 'public'::regnamespace
    limit 1) c on true
order by o.n`

func (s *State) find(ctx context.Context, db *sql.Tx) error {
	objects := append([]Object{{Kind: Table, Name: versionTable}}, Objects()...)
	kinds, names := make([]string, len(objects)), make([]string, len(objects))
	for i, o := range objects {
		kinds[i], names[i] = string(o.Kind), o.Name
	}
	rows, err := db.QueryContext(ctx, findSQL, kinds, names)
	if err != nil {
		return fmt.Errorf("look for the tables: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		var f found
		if err := rows.Scan(&n, &f.there, &f.fits, &f.owner, &f.owned, &f.super); err != nil {
			return fmt.Errorf("look for the tables: %w", err)
		}
		f.Object = objects[n-1]
		s.found = append(s.found, f)
	}
	return rows.Err()
}

// Own returns a *ForeignError where the version does not tell of this program's tables: another
// program uses the same table for versions, or tables are missing, or others are in the way.
func (s *State) Own() error {
	if s.hidden && s.roles != "" {
		return &SchemaRightError{fmt.Sprintf("permission denied for table %s: the user %s of the database %s has the role %s, which lacks its rights, as after a dump that was restored "+
			"without privileges: as the owner of the tables, `allocation migrate up` grants them again", versionTable, s.user, s.Database, s.roles)}
	}
	if s.hidden {
		return &SchemaRightError{fmt.Sprintf("permission denied for table %[2]s: the user %[1]s may not read it in the database %[3]s; as an administrator, `grant allocation_worker to %[4]s` for a worker, "+
			"or `grant allocation_operator to %[4]s` for a person", s.user, versionTable, s.Database, s.quoted)}
	}
	var missing, odd, others []string
	for _, f := range s.found {
		switch {
		case f.Kind == Function, f.Name == versionTable:
		case f.Version <= s.Version && !f.there:
			missing = append(missing, f.Name)
		case f.Version <= s.Version && !f.fits:
			odd = append(odd, f.Name)
		case f.Version > s.Version && f.there:
			others = append(others, f.Name)
		}
	}
	const advice = "give allocation a database of its own (`create database`, and DATABASE_URL)"
	switch {
	case len(missing) > 0:
		return &ForeignError{fmt.Sprintf("the table %s of the database %s says version %d, and in its schema public %s missing: the versions are another program's, or tables were lost; %s, or restore it",
			versionTable, s.Database, s.Version, are(missing), advice)}
	case len(odd) > 0:
		return &ForeignError{fmt.Sprintf("in the schema public of the database %s %s no table of allocation, but a view or the like in its place; %s", s.Database, are(odd), advice)}
	case len(others) > 0:
		return &ForeignError{fmt.Sprintf("in the schema public of the database %s %s there, and allocation's version %d has none: another program's; %s",
			s.Database, are(others), s.Version, advice)}
	}
	return nil
}

func are(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return few(names) + " are"
}
