package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"allocation/cmd/internal/config"
)

// advice is what a person can type where Postgres refused something, to follow the error's text;
// empty where there is nothing to say.
func (p *Program) advice(err error) string {
	var pg *pgconn.PgError
	var known *config.AccessError
	if !errors.As(err, &pg) || errors.As(err, &known) {
		return ""
	}
	const notAllowed, policies = "42501", "check_enable_rls"
	switch {
	case pg.Code == notAllowed && pg.Routine == policies:
		return "; row level security must be off for allocation's tables: as their owner, `alter table … disable row level security`"
	case pg.Code == notAllowed && p.role != "" && p.user != "":
		return fmt.Sprintf("; as an administrator, `grant %s to %s` where it has not that role, or give the role its right again (SECURITY.md)", p.role, pgx.Identifier{p.user}.Sanitize())
	case pg.Hint != "" && !strings.Contains(err.Error(), pg.Hint):
		return "; " + pg.Hint
	}
	return ""
}
