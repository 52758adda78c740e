package migrations

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Roles are the names of the two roles that get rights on a schema.
type Roles struct {
	Worker   string `json:"worker_role"`
	Operator string `json:"operator_role"`
}

// DefaultRoles are the roles that Up makes where it was given no names.
func (s Schema) DefaultRoles() Roles { return Roles{string(s) + "_worker", string(s) + "_operator"} }

// Names are both names.
func (r Roles) Names() []string { return []string{r.Worker, r.Operator} }

// or fills in the names that are missing.
func (r Roles) or(other Roles) Roles {
	return Roles{cmp.Or(r.Worker, other.Worker), cmp.Or(r.Operator, other.Operator)}
}

// RolesSQL reads the comment that has the names of a schema's roles where Up was given some: on a
// table, because a comment can be read by a user who has no right at all, and is in each dump.
const RolesSQL = `
select coalesce((select obj_description(oid, 'pg_class') from pg_class where relname = 'migrations_engine' and relnamespace = to_regnamespace($1)), '')`

// RolesIn are the roles that the comment names. Another comment names none: so the roles are the
// default ones.
func (s Schema) RolesIn(comment string) (roles Roles) {
	if json.Unmarshal([]byte(comment), &roles) != nil {
		return s.DefaultRoles()
	}
	return roles.or(s.DefaultRoles())
}

func readRoles(ctx context.Context, tx *sql.Tx, s Schema) (Roles, error) {
	var comment string
	if err := tx.QueryRowContext(ctx, RolesSQL, string(s)).Scan(&comment); err != nil {
		return Roles{}, fmt.Errorf("read the names of the roles: %w", err)
	}
	return s.RolesIn(comment), nil
}

// rememberRoles writes the comment, if it names other roles.
func rememberRoles(ctx context.Context, tx *sql.Tx, s Schema, roles Roles) error {
	if known, err := readRoles(ctx, tx, s); err != nil || known == roles {
		return err
	}
	comment, err := json.Marshal(roles)
	if err != nil {
		return err
	}
	text := "'" + strings.ReplaceAll(string(comment), "'", "''") + "'" // COMMENT takes no parameters
	if strings.Contains(text, `\`) {
		text = "E" + strings.ReplaceAll(text, `\`, `\\`)
	}
	if _, err := tx.ExecContext(ctx, "comment on table "+string(s)+"."+engine.table()+" is "+text); err != nil {
		return fmt.Errorf("remember the names of the roles: %w", err)
	}
	return nil
}

var unquoted = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// Quote is a role's name as a statement needs it.
func Quote(role string) string {
	if unquoted.MatchString(role) {
		return role
	}
	return pgx.Identifier{role}.Sanitize()
}

// CreateRoles are the statements that make roles.
func CreateRoles(roles []string) (all []string) {
	for _, role := range roles {
		all = append(all, "create role "+Quote(role)+" nologin")
	}
	return all
}

const rolesSQL = `
select r.oid is not null, coalesce(r.rolsuper, false), coalesce(pg_has_role(r.oid, o.oid, 'member'), false), o.rolname
from unnest($1::text[]) with ordinality n (name, n) left join pg_roles r on r.rolname = n.name
join pg_roles o on o.oid = coalesce((select nspowner from pg_namespace where nspname = $2), (select oid from pg_roles where rolname = current_user))
order by n.n`

// role is what a server knows of one of the roles.
type role struct {
	name, flag string
	standard   bool // nobody named it, so it may be made
	there      bool
	super      bool
	owns       bool // it may do what the owner of the schema may
	owner      string
}

func lookAtRoles(ctx context.Context, db *sql.DB, s Schema, roles Roles) (all []role, err error) {
	standard, flags := s.DefaultRoles().Names(), []string{"--worker-role", "--operator-role"}
	var r role
	each := func() {
		i := len(all)
		r.name, r.flag = roles.Names()[i], flags[i]
		r.standard = r.name == standard[i]
		all = append(all, r)
	}
	if err := ask(ctx, db, rolesSQL, []any{roles.Names(), string(s)}, each, &r.there, &r.super, &r.owns, &r.owner); err != nil {
		return nil, fmt.Errorf("look at the roles: %w", err)
	}
	return all, nil
}

// problem says why a role cannot be the one of workers or operators; empty where it can.
func (r *role) problem() string {
	switch {
	case strings.HasPrefix(r.name, "pg_"):
		return fmt.Sprintf("the role %s is Postgres' own: name another with %s", r.name, r.flag)
	case !r.there && !r.standard:
		return fmt.Sprintf("there is no role %s: as an administrator, `%s`; or name another with %s", r.name, CreateRoles([]string{r.name})[0], r.flag)
	case r.super:
		return fmt.Sprintf("the role %s is a superuser, whom nothing is forbidden: as an administrator, `alter role %s nosuperuser`; or name another with %s", r.name, Quote(r.name), r.flag)
	case r.name == r.owner:
		return fmt.Sprintf("the role %s owns the schema, so nothing in it is forbidden to that role: name another with %s", r.name, r.flag)
	case r.owns:
		return fmt.Sprintf("the role %s is a member of %s, the owner of the schema, so nothing in it is forbidden to that role: as an administrator, `revoke %s from %s`; or name another with %s",
			r.name, r.owner, Quote(r.owner), Quote(r.name), r.flag)
	}
	return ""
}
