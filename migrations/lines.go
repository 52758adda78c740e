package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Line is a row of migrations with versions of its own, and what the two roles may do with the
// tables that it makes.
type Line struct {
	Name  string // of the folder of its files, too
	Files embed.FS

	// Worker and Operator are the rights of the roles on tables, by table: words such as select and
	// insert, also on a column, such as update(state). They are given nothing else.
	Worker, Operator map[string]string

	// OperatorsToo are functions of workers by which an operator reads as they do.
	OperatorsToo []string
}

// Lines are those of a schema: the engine's and, if there is one, the service's. The first goes up
// first and down last.
type Lines []*Line

// LinesOf are the lines of a service's schema. A service without a line has only the engine's.
func LinesOf(service *Line) Lines {
	if service == nil {
		return Lines{&engine}
	}
	return Lines{&engine, service}
}

// Version says how far each of a schema's lines is: the engine's, and the service's.
type Version [2]int64

// Older reports whether a line is not as far as in another version.
func (v Version) Older(than Version) bool {
	for i := range v {
		if v[i] < than[i] {
			return true
		}
	}
	return false
}

// Say says a version of the lines.
func (l Lines) Say(v Version) string {
	var all []string
	for i, line := range l {
		all = append(all, fmt.Sprintf("%s %d", line.Name, v[i]))
	}
	return strings.Join(all, " and ")
}

// Latest is the version of the newest migrations: what a worker of this binary needs.
func (l Lines) Latest() (latest Version) {
	for i, line := range l {
		latest[i] = line.Versions()[len(line.Versions())-1]
	}
	return latest
}

// Names are the names of the lines.
func (l Lines) Names() (all []string) {
	for _, line := range l {
		all = append(all, line.Name)
	}
	return all
}

// Versions are those of the line's migrations.
func (l *Line) Versions() (all []int64) {
	for _, name := range l.names() {
		all = append(all, versionOf(name))
	}
	return all
}

func (l *Line) names() (all []string) {
	entries, err := l.Files.ReadDir(l.Name)
	if err != nil || len(entries) == 0 {
		panic("migrations: none embedded of the line " + l.Name)
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

// table has goose's versions of the line.
func (l *Line) table() string { return "migrations_" + l.Name }

// provider runs the migrations of a line. Several may start at once: a lock of a session lets one
// go first.
func provider(db *sql.DB, s Schema, line *Line) (*goose.Provider, error) {
	dir, err := fs.Sub(line.Files, line.Name)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(s.LockID()))
	if err != nil {
		return nil, fmt.Errorf("make migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, dir, goose.WithSessionLocker(inSchema{locker, s}), goose.WithTableName(string(s)+"."+line.table()))
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

func steps(line *Line, done []*goose.MigrationResult) (all []Step) {
	for _, r := range done {
		all = append(all, Step{line.Name, r.Source.Version, r.Source.Path, r.Duration.Seconds()})
	}
	return all
}

// Down undoes migrations, the last line's first, until each line is at a version or below it.
func Down(ctx context.Context, db *sql.DB, s Schema, lines Lines, to Version) (undone []Step, err error) {
	undone = []Step{}
	for i, line := range slices.Backward(lines) {
		p, err := provider(db, s, line)
		if err != nil {
			return undone, err
		}
		done, err := p.DownTo(ctx, to[i])
		undone = append(undone, steps(line, done)...)
		if err != nil {
			return undone, fmt.Errorf("undo migrations: %w", explainLock(err))
		}
	}
	state, err := Look(ctx, db, s, lines)
	if err != nil {
		return undone, err
	}
	_, _, err = setRights(ctx, db, s, lines, state.Roles) // functions of before may have been made again
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
	for i, line := range s.lines {
		for _, name := range line.names() {
			m := Migration{Line: line.Name, Version: versionOf(name), Name: name}
			if at, ok := s.applied[i][m.Version]; ok {
				m.Applied, m.AppliedAt = true, &at
			}
			all = append(all, m)
		}
	}
	return all
}
