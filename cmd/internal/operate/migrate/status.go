package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/migrations"
)

type statusCommand struct {
	config.Database
	JSON bool `help:"Print JSON."`
}

func (statusCommand) Help() string {
	return `On stderr it names other roles that have rights on the schema, its tables and its functions, and which rights the roles of workers and operators have
beyond what they need.

Example:

    ${program} migrate status --json`
}

// Run prints every migration.
func (c *statusCommand) Run(ctx context.Context, p *cli.Program) error {
	db, err := p.OpenDatabase(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	lines := p.Service.Lines()
	state, err := migrations.Look(ctx, db, c.In(), lines)
	if err == nil {
		err = state.Own()
	}
	if err != nil {
		return err
	}
	if lines.Latest().Older(state.Version) {
		p.Tell("the schema is at %s, newer than this program's %s", lines.Say(state.Version), lines.Say(lines.Latest()))
	}
	if state.Roles != c.In().DefaultRoles() {
		p.Tell("the role of workers is %s, and that of operators %s", state.Roles.Worker, state.Roles.Operator)
	}
	if err := tellUndeclared(ctx, p, db, state); err != nil {
		return err
	}
	return cli.PrintList(p, c.JSON, []string{"LINE", "VERSION", "NAME", "APPLIED"}, state.Migrations(), func(m *migrations.Migration) []string {
		applied := fmt.Sprintf("missing: run `%s migrate up`", p.Name)
		if m.Applied {
			applied = m.AppliedAt.UTC().Format(time.RFC3339)
		}
		return []string{m.Line, fmt.Sprint(m.Version), m.Name, applied}
	})
}

// tellUndeclared names who may do what nobody declared.
func tellUndeclared(ctx context.Context, p *cli.Program, db *sql.DB, state *migrations.State) error {
	found, err := migrations.Undeclared(ctx, db, state.Schema, p.Service.Lines(), state.Roles)
	for _, line := range migrations.Describe(found.Others) {
		p.Tell("another role has rights, %s; `%s migrate up` as the owner takes them away", line, p.Name)
	}
	for _, line := range migrations.Describe(found.Excess) {
		p.Tell("a role has rights that it does not need, %s; `%s migrate up` as the owner takes them away", line, p.Name)
	}
	tellMembers(p, found.Members)
	return err
}

// tellMembers names what the roles have of others.
func tellMembers(p *cli.Program, members []migrations.Reach) {
	for _, line := range migrations.Describe(members) {
		p.Tell("a role has rights that it does not need, by being a member of others, %s; only an administrator can end that", line)
	}
}
