package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/migrations"
)

type upCommand struct {
	config.Database
	WorkerRole   string `env:"WORKER_ROLE" placeholder:"NAME" help:"An existing role for workers, instead of the one that this creates. The schema remembers it."`
	OperatorRole string `env:"OPERATOR_ROLE" placeholder:"NAME" help:"An existing role for operators, instead of the one that this creates. The schema remembers it."`
	WithoutRoles bool   `help:"Go on where the roles are missing and this user may not create them."`
	JSON         bool   `help:"Print JSON."`
}

func (upCommand) Help() string {
	return `Several may start at once: one migrates, the others wait for it. Its user must own the schema, or be allowed to create it in the database;
workers and operators should log in as other users, with the roles ${program}_worker and ${program}_operator (with ${prefix}DATABASE_SCHEMA=x: x_worker and
x_operator), or the existing roles that are named. These two get the rights that they need. Whatever else they have on the schema, its tables and its
functions is revoked, and all that other roles have.

Examples:

    ${prefix}DATABASE_URL=postgres://owner:secret@db:5432/${program} ${program} migrate up
    ${program} migrate up --worker-role app_rw --operator-role support`
}

// Run applies what is missing and prints it.
func (c *upCommand) Run(ctx context.Context, p *cli.Program) error {
	db, err := p.OpenDatabase(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := tellWhoMigrates(ctx, p, db, c.In()); err != nil {
		return err
	}
	roles := migrations.Roles{Worker: c.WorkerRole, Operator: c.OperatorRole}
	done, err := migrations.Up(ctx, db, migrations.Options{Schema: c.In(), Lines: p.Service.Lines(), Roles: roles, WithoutRoles: c.WithoutRoles})
	for _, line := range migrations.Describe(done.Found.Others) {
		p.Tell("revoked what another role had, %s", line)
	}
	for _, line := range migrations.Describe(done.Found.Excess) {
		p.Tell("revoked what a role had and does not need, %s", line)
	}
	tellMembers(p, done.Found.Members)
	for _, statement := range done.Granted {
		p.Tell("gave a role what it lacked, %s", statement)
	}
	if len(done.Missing) > 0 {
		p.Tell("there is no %s: workers and operators have to log in as the owner, and whoever takes one over can change and delete everything; "+
			"as an administrator, `%s`, and then `%s migrate up`", strings.Join(done.Missing, " and no "), strings.Join(migrations.CreateRoles(done.Missing), "; "), p.Name)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return p.PrintJSON(done.Applied)
	}
	return printApplied(p, done)
}

// tellWhoMigrates says for whom this program is about to wait.
func tellWhoMigrates(ctx context.Context, p *cli.Program, db *sql.DB, schema migrations.Schema) error {
	who, err := migrations.Busy(ctx, db, schema)
	if who != "" {
		p.Tell("waiting for up to 5 minutes: %s; if that is no other migration, end it", who)
	}
	return err
}

func printApplied(p *cli.Program, done migrations.Done) error {
	for _, m := range done.Applied {
		fmt.Fprintf(p.Out, "applied %s %d %s in %s\n", m.Line, m.Version, m.Name, time.Duration(m.Seconds*float64(time.Second)).Round(time.Millisecond))
	}
	lines := p.Service.Lines()
	state := "up to date"
	if lines.Latest().Older(done.Version) {
		state = fmt.Sprintf("newer than this program's %s", lines.Say(lines.Latest()))
	}
	_, err := fmt.Fprintf(p.Out, "the schema is at %s, %s\n", lines.Say(done.Version), state)
	return err
}
