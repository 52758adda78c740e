package migrations_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"allocation/migrations"
)

// migration is what going up does.
type migration struct {
	name       string
	inOne      bool // all of it is one transaction
	statements []statement
}

// statement is one of SQL, in lower case and on one line, without comments and without the body of
// a function, which is not run.
type statement string

var (
	comment = regexp.MustCompile(`--[^\n]*`)
	body    = regexp.MustCompile(`(?s)\$\$.*?\$\$`)
	space   = regexp.MustCompile(`\s+`)
)

// parse reads a migration as goose does: a statement ends with a semicolon at the end of a line,
// but one between StatementBegin and StatementEnd with the latter.
func parse(name, sql string) *migration {
	m := &migration{name: name, inOne: !strings.Contains(sql, "+goose NO TRANSACTION")}
	_, sql, _ = strings.Cut(sql, "-- +goose Up")
	sql, _, _ = strings.Cut(sql, "-- +goose Down")
	var open strings.Builder
	whole := false
	for line := range strings.Lines(sql) {
		begins, ends := strings.Contains(line, "+goose StatementBegin"), strings.Contains(line, "+goose StatementEnd")
		whole = (whole || begins) && !ends
		line = comment.ReplaceAllString(line, "")
		open.WriteString(line)
		if ends || !whole && strings.HasSuffix(strings.TrimSpace(line), ";") {
			m.add(open.String())
			open.Reset()
		}
	}
	m.add(open.String())
	return m
}

func (m *migration) add(sql string) {
	sql = body.ReplaceAllString(sql, "$$$$")
	sql = strings.ToLower(strings.TrimSpace(space.ReplaceAllString(sql, " ")))
	if sql = strings.TrimSuffix(sql, ";"); sql != "" {
		m.statements = append(m.statements, statement(sql))
	}
}

var lines = migrations.LinesOf(&migrations.Products)

// files are the migrations of a line that are above a version, or all others.
func files(t *testing.T, line int, above bool, version int64) (all []*migration) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(lines[line].Name, "*.sql"))
	require.NoError(t, err)
	for _, path := range paths {
		v, err := goose.NumericComponent(path)
		require.NoError(t, err)
		if v > version == above {
			sql, err := os.ReadFile(path)
			require.NoError(t, err)
			all = append(all, parse(path, string(sql)))
		}
	}
	return all
}

// makes reports whether the migration makes an object, which so nobody uses yet.
func (m *migration) makes(kind, name string) bool {
	made := regexp.MustCompile(`^create (unique )?` + kind + ` (concurrently )?(if not exists )?` + regexp.QuoteMeta(name) + `\b`)
	for _, s := range m.statements {
		if made.MatchString(string(s)) {
			return true
		}
	}
	return false
}

// matches returns what a pattern's groups are; nil where the statement is another one.
func (s statement) matches(pattern string) []string {
	return regexp.MustCompile(pattern).FindStringSubmatch(string(s))
}

// alters is the table that the statement alters, and what it does to it.
func (s statement) alters() (table string, actions []string) {
	found := s.matches(`^alter table (?:if exists )?(?:only )?(\S+) (.*)$`)
	if found == nil {
		return "", nil
	}
	depth, from := 0, 0
	for i, c := range found[2] {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				actions = append(actions, strings.TrimSpace(found[2][from:i]))
				from = i + 1
			}
		}
	}
	return found[1], append(actions, strings.TrimSpace(found[2][from:]))
}
