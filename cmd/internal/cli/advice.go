package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"allocation/cmd/internal/config"
	"allocation/store"
)

// advice is what a person can type about an error. It follows the error's text, and is empty where
// there is nothing to say.
func (p *Program) advice(err error) string {
	if topics := (*MissingTopicsError)(nil); errors.As(err, &topics) {
		return fmt.Sprintf(": run `%s topics create`", p.Name)
	}
	if schema := (*store.SchemaError)(nil); errors.As(err, &schema) {
		return fmt.Sprintf(": run `%s migrate up`", p.Name)
	}
	return p.postgresAdvice(err)
}

// postgresAdvice is about what Postgres refused.
func (p *Program) postgresAdvice(err error) string {
	var pg *pgconn.PgError
	var known *config.AccessError
	if !errors.As(err, &pg) || errors.As(err, &known) {
		return ""
	}
	const notAllowed, policies = "42501", "check_enable_rls"
	switch {
	case pg.Code == notAllowed && pg.Routine == policies:
		return fmt.Sprintf("; row level security must be off for the tables of %s: as their owner, `alter table … disable row level security`", p.Name)
	case pg.Code == notAllowed && p.role != "" && p.user != "":
		return fmt.Sprintf("; as an administrator, `grant %s to %s` where it has not that role, or give the role its right again (SECURITY.md)", p.role, pgx.Identifier{p.user}.Sanitize())
	case pg.Hint != "" && !strings.Contains(err.Error(), pg.Hint):
		return "; " + pg.Hint
	}
	return ""
}
