package programtest

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

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
	database = testbed.Database(t)
	t.Setenv("DATABASE_URL", database)
	s = &Service{T: t, Names: NewNames(t), Group: "group-" + uuid.NewString()}
	Run(t, "migrate", "up").RequireDone(t)
	Run(t, append([]string{"topics", "create", "--partitions=3"}, s.Names.Flags(t)...)...).RequireDone(t)
	name, login := NewLogin(t, database)
	Administer(t, database, "grant allocation_worker to "+name)
	t.Setenv("DATABASE_URL", login)
	return s, database, name
}

// Tables are the tables of the schema, without the days of the outbox and goose's own.
func Tables(t *testing.T, database string) map[string]bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `select relname from pg_class where relkind in ('r', 'p') and not relispartition
		and relnamespace = to_regnamespace('allocation') and relname not like 'migrations\_%'`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	found := map[string]bool{}
	for _, name := range names {
		found[name] = true
	}
	return found
}
