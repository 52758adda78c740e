package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed engine/*.sql products/*.sql
var files embed.FS

// Lines are the rows of migrations, each with versions of its own. The first goes up first and down
// last.
var Lines = [...]string{"engine", "products"}

// Version says how far each of Lines is.
type Version [len(Lines)]int64

func (v Version) String() string {
	var all []string
	for i, line := range Lines {
		all = append(all, fmt.Sprintf("%s %d", line, v[i]))
	}
	return strings.Join(all, " and ")
}

// Older reports whether a line is not as far as in another version.
func (v Version) Older(than Version) bool {
	for i := range v {
		if v[i] < than[i] {
			return true
		}
	}
	return false
}

// Latest is the version of the newest migrations: what a worker of this binary needs.
func Latest() (latest Version) {
	for i, line := range Lines {
		latest[i] = Versions(line)[len(Versions(line))-1]
	}
	return latest
}

// Versions are those of a line's migrations.
func Versions(line string) (all []int64) {
	for _, name := range names(line) {
		all = append(all, versionOf(name))
	}
	return all
}

func names(line string) (all []string) {
	entries, err := files.ReadDir(line)
	if err != nil || len(entries) == 0 {
		panic("migrations: none embedded of the line " + line)
	}
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

func versionOf(name string) int64 {
	version, err := goose.NumericComponent(name)
	if err != nil {
		panic(err)
	}
	return version
}

// versionTables have goose's versions of each line.
var versionTables = [...]string{"migrations_engine", "migrations_products"}

// provider runs the migrations of a line. Several may start at once: a lock of a session lets one
// go first.
func provider(db *sql.DB, s Schema, line int) (*goose.Provider, error) {
	dir, err := fs.Sub(files, Lines[line])
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(s.LockID()))
	if err != nil {
		return nil, fmt.Errorf("make migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, dir, goose.WithSessionLocker(inSchema{locker, s}), goose.WithTableName(string(s)+"."+versionTables[line]))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}

// inSchema has the session that migrates make everything in the schema, whatever its search path
// was.
type inSchema struct {
	lock.SessionLocker
	schema Schema
}

func (l inSchema) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if err := l.SessionLocker.SessionLock(ctx, conn); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, l.schema.SetPath())
	return err
}

// Step is a migration that was applied or undone.
type Step struct {
	Line    string  `json:"line"`
	Version int64   `json:"version"`
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

func steps(line int, done []*goose.MigrationResult) (all []Step) {
	for _, r := range done {
		all = append(all, Step{Lines[line], r.Source.Version, r.Source.Path, r.Duration.Seconds()})
	}
	return all
}

// Down undoes migrations, the last line's first, until each line is at a version or below it.
func Down(ctx context.Context, db *sql.DB, s Schema, to Version) (undone []Step, err error) {
	undone = []Step{}
	for i := len(Lines) - 1; i >= 0; i-- {
		p, err := provider(db, s, i)
		if err != nil {
			return undone, err
		}
		done, err := p.DownTo(ctx, to[i])
		undone = append(undone, steps(i, done)...)
		if err != nil {
			return undone, fmt.Errorf("undo migrations: %w", explainLock(err))
		}
	}
	state, err := Look(ctx, db, s)
	if err != nil {
		return undone, err
	}
	_, _, err = setRights(ctx, db, s, state.Roles) // functions of before may have been made again
	return undone, err
}

// Migration is one of this program's, and whether the database has it.
type Migration struct {
	Line      string     `json:"line"`
	Version   int64      `json:"version"`
	Name      string     `json:"name"`
	Applied   bool       `json:"applied"`
	AppliedAt *time.Time `json:"applied_at,omitempty"`
}

// Migrations are all of this program's.
func (s *State) Migrations() (all []Migration) {
	for i, line := range Lines {
		for _, name := range names(line) {
			m := Migration{Line: line, Version: versionOf(name), Name: name}
			if at, ok := s.applied[i][m.Version]; ok {
				m.Applied, m.AppliedAt = true, &at
			}
			all = append(all, m)
		}
	}
	return all
}
