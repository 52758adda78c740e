package programtest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// databases are the files with the URLs of tests' databases, by the name of the test. Tests of a
// package run side by side, so the environment cannot name them.
var databases sync.Map

// UseDatabase has the test's and its subtests' runs of the program use a database from now on.
func UseDatabase(t *testing.T, url string) {
	t.Helper()
	file, used := databases.Load(t.Name())
	if !used {
		file = filepath.Join(t.TempDir(), "database-url")
		databases.Store(t.Name(), file)
		t.Cleanup(func() { databases.Delete(t.Name()) })
	}
	require.NoError(t, os.WriteFile(file.(string), []byte(url), 0o600))
}

// NewDatabase makes a database, has the test use it, and returns its URL as the superuser.
func NewDatabase(t *testing.T) string {
	t.Helper()
	url := testbed.Database(t)
	UseDatabase(t, url)
	return url
}

// NewMigratedDatabase is NewDatabase with the tables of the service.
func NewMigratedDatabase(t *testing.T) string {
	t.Helper()
	url := testbed.Migrated(t)
	UseDatabase(t, url)
	return url
}

// databaseOf is the file with the URL of the test's database, or of its parent's. Without one the
// environment has it.
func databaseOf(t *testing.T) string {
	for name := t.Name(); name != ""; name = name[:max(0, strings.LastIndexByte(name, '/'))] {
		if file, used := databases.Load(name); used {
			return file.(string)
		}
	}
	return ""
}

// WithDatabase adds the test's database to the arguments of a command that takes one.
func WithDatabase(t *testing.T, args []string) []string {
	file := databaseOf(t)
	if file == "" || !slices.Contains([]string{"worker", "migrate", "show", "explain", "try", "export", "list", "status", "console", "dlq", "offsets", "verify", "bench"}, args[0]) {
		return args
	}
	return append(slices.Clip(args), "--database-url-file="+file)
}

// Administer runs statements as the superuser.
func Administer(t *testing.T, database string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), database)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	for _, statement := range statements {
		_, err = conn.Exec(context.Background(), statement)
		require.NoError(t, err, statement)
	}
}

// NewLogin makes a user with nothing but a name, who is dropped at the test's end, and returns the
// name and the database's URL for it.
func NewLogin(t *testing.T, database string) (name, address string) {
	t.Helper()
	name = "user_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	Administer(t, database, "create role "+name+" login")
	t.Cleanup(func() { Administer(t, database, "drop owned by "+name, "drop role "+name) })
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.User = url.User(name)
	return name, u.String()
}

// AsWorkersLogin starts a worker that logs in as a user with the workers' role, on a schema of
// somebody else's.
func AsWorkersLogin(t *testing.T) (s *Service, database, name string) {
	t.Helper()
	database = NewMigratedDatabase(t)
	s = NewService(t)
	s.Names.Create(t, "--partitions=3").RequireDone(t)
	name, login := NewLogin(t, database)
	Administer(t, database, "grant allocation_worker to "+name)
	UseDatabase(t, login)
	return s, database, name
}

// Tables are the tables of the schema, without the days of the outbox and goose's own.
func Tables(t *testing.T, database string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, name := range Query[string](t, database, `select relname from pg_class where relkind in ('r', 'p') and not relispartition
		and relnamespace = to_regnamespace('allocation') and relname not like 'migrations\_%'`) {
		found[name] = true
	}
	return found
}

// Query is what a query of one column answers.
func Query[T any](t *testing.T, database, query string, args ...any) []T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), query, args...)
	require.NoError(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err)
	return values
}
