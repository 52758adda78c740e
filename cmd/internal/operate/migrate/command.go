// Package migrate brings the schema of a service's database up to date, says which version it has,
// and goes back to an earlier one.
package migrate

// Command is "migrate" on the command line.
type Command struct {
	Up     upCommand     `cmd:"" help:"Apply the migrations that are missing."`
	Status statusCommand `cmd:"" help:"Print which migrations are applied."`
	Down   downCommand   `cmd:"" help:"Undo migrations, with all that is in their tables."`
}
