package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Due says which commands the clock makes due. The worker that has the partition of a command's key
// sends it, and the next one where that ends. It may come twice, and late, so a command has to look
// by its own time whether it is to do anything.
type Due struct {
	Command string // its name

	// SQL is a query of commands that are due at $1, in the order of their time and name, of those
	// that come behind the time $2 and the name $3, and $4 at most: the time, the key, the name and
	// the data as JSON text.
	SQL string
}

// DueCommand is a command that is due.
type DueCommand struct {
	At   time.Time
	Key  string
	Name string // of what it is about, by which one is told from another
	Data string // JSON
}

// DueCommands are those that are due at a time, and that come behind another one, so many at most.
func (s *Store) DueCommands(ctx context.Context, now time.Time, behind DueCommand, most int) ([]DueCommand, error) {
	return list(ctx, s, "look for what is due", pgx.RowToStructByPos[DueCommand], s.service.Due.SQL, now, behind.At, behind.Name, most)
}
