package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/migrations"
)

type downCommand struct {
	config.Database
	Line string `default:"" placeholder:"LINE" help:"The line to undo migrations of, ${lines}; without it, both, which only --to 0 can."`
	To   string `required:"" placeholder:"VERSION" help:"The version to go back to; 0 removes everything."`
	Yes  bool   `help:"Really do it."`
	JSON bool   `help:"Print JSON."`
}

func (downCommand) Help() string {
	return `Stop all workers first. Without --yes it only says what would be lost. The service's tables stand on the engine's, and go first.

Examples:

    ${program} migrate down --to 0
    ${program} migrate down --line ${line} --to 2 --yes`
}

// Run says what is lost, and undoes the migrations where the user agreed.
func (c *downCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.Database.Check(problems)
	lines := p.Service.Lines()
	to := c.version(problems, lines)
	if err := problems.Err(); err != nil {
		return err
	}
	db, err := p.OpenDatabase(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	state, err := migrations.Check(ctx, db, c.In(), lines)
	switch {
	case err != nil:
		return err
	case !to.Older(state.Version):
		return fmt.Errorf("nothing was undone: the schema is at %s", lines.Say(state.Version))
	case lines.Latest().Older(state.Version):
		return fmt.Errorf("nothing was undone: the schema is at %s, newer than this program's %s, which does not know how to undo that: run the newer program",
			lines.Say(state.Version), lines.Say(lines.Latest()))
	}
	lost, err := whatIsLost(ctx, db, lines, to)
	if err != nil {
		return err
	}
	if !c.Yes {
		return cli.Misuse("going down to %s loses %s; say --yes to do it", lines.Say(lower(state.Version, to)), lost)
	}
	undone, err := migrations.Down(ctx, db, c.In(), lines, to)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.PrintJSON(undone)
	}
	for _, m := range undone {
		fmt.Fprintf(p.Out, "undid %s %d %s\n", m.Line, m.Version, m.Name)
	}
	_, err = fmt.Fprintf(p.Out, "the schema is at %s; lost: %s\n", lines.Say(lower(state.Version, to)), lost)
	return err
}

// version is what to go back to: the newest one in a line that is not asked for.
func (c *downCommand) version(problems *config.Problems, lines migrations.Lines) (to migrations.Version) {
	latest := lines.Latest()
	if c.Line != "" && !slices.Contains(lines.Names(), c.Line) {
		problems.Add("line", c.Line, strings.Join(lines.Names(), " or "))
	}
	for i, line := range lines.Names() {
		to[i] = latest[i]
		if c.Line == line {
			to[i] = int64(problems.Integer("to", c.To, 0, int(latest[i])))
		}
	}
	if c.Line == "" {
		if problems.Integer("to", c.To, 0, int(max(latest[0], latest[1]))) > 0 {
			problems.Say("--to is %s, a version of one line: say --line %s", c.To, strings.Join(lines.Names(), " or --line "))
		}
		to = migrations.Version{}
	}
	return to
}

// lower is where each line is after going down.
func lower(from, to migrations.Version) migrations.Version {
	for i := range from {
		from[i] = min(from[i], to[i])
	}
	return from
}

// whatIsLost describes what is in the tables that would go, and names the columns that others would
// lose.
func whatIsLost(ctx context.Context, db *sql.DB, lines migrations.Lines, to migrations.Version) (string, error) {
	var lost []string
	gone := map[string]bool{}
	for _, o := range lines.Objects() {
		if o.Kind != migrations.Table || o.Version <= to[o.Line] {
			continue
		}
		gone[o.Name] = true
		rows, exists, err := rowsOf(ctx, db, o.Name)
		if err != nil {
			return "", fmt.Errorf("count rows of %s: %w", o.Name, err)
		}
		if exists {
			lost = append(lost, fmt.Sprintf("%s (rows: %s)", o.Name, cli.Count(rows)))
		}
	}
	for _, c := range lines.Columns() {
		if c.Version > to[c.Line] && !gone[c.Table] {
			lost = append(lost, "column "+c.Name+" of "+c.Table)
		}
	}
	if len(lost) == 0 {
		return "no data", nil
	}
	return strings.Join(lost, ", "), nil
}

func rowsOf(ctx context.Context, db *sql.DB, table string) (rows int64, exists bool, err error) {
	if err := db.QueryRowContext(ctx, `select to_regclass($1) is not null`, table).Scan(&exists); err != nil || !exists {
		return 0, false, err
	}
	err = db.QueryRowContext(ctx, `select count(*) from `+table).Scan(&rows)
	return rows, true, err
}
