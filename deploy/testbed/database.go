package testbed

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"allocation/migrations"
)

// searchPath lets tests write and read tables by their names alone, also on servers that they name.
const searchPath = "allocation, public"

// Database returns the URL of an empty database of the test's own on the shared server, as a
// superuser. It is dropped soon after the test has ended, with the connections that are still
// there. Roles belong to the server and are shared by all tests.
func Database(t testing.TB) string {
	t.Helper()
	return copyDatabase(t, "template1")
}

// Migrated is Database with the tables of the service.
func Migrated(t testing.TB) string {
	t.Helper()
	template, err := migrated()
	if err != nil {
		t.Fatalf("make the database that tests copy: %v", err)
	}
	database := copyDatabase(t, template)
	if err := execute(t.Context(), database, "UPDATE database_identity SET id = gen_random_uuid()"); err != nil {
		t.Fatalf("make it a database of its own: %v", err)
	}
	return database
}

func copyDatabase(t testing.TB, template string) string {
	t.Helper()
	server, name := sharedPostgres.forTest(t), uniqueName(t)
	database, err := createDatabase(t.Context(), server, name, template)
	if err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	t.Cleanup(func() { dropped.drop(server, name) })
	return database
}

// migrated is the name of the database that Migrated copies, which is many times as fast as making
// its tables. It is made once for a process.
var migrated = sync.OnceValues(func() (name string, err error) {
	ctx := context.Background()
	server, err := sharedPostgres.address(ctx)
	if err != nil {
		return "", err
	}
	name = "migrated_" + randomSuffix()
	database, err := createDatabase(ctx, server, name, "template1")
	if err != nil {
		return "", err
	}
	dropped.atEnd = func() { dropped.drop(server, name) }
	settings, err := pgx.ParseConfig(database)
	if err != nil {
		return "", err
	}
	db := stdlib.OpenDB(*settings)
	defer db.Close()
	_, err = migrations.Up(ctx, db, migrations.Options{Lines: migrations.LinesOf(&migrations.Products)})
	return name, err
})

func createDatabase(ctx context.Context, server, name, template string) (url string, err error) {
	quoted := pgx.Identifier{name}.Sanitize()
	err = execute(ctx, server, "CREATE DATABASE "+quoted+" TEMPLATE "+template, "ALTER DATABASE "+quoted+" SET search_path = "+searchPath)
	if err != nil {
		return "", err
	}
	return onDatabase(server, name)
}

func execute(ctx context.Context, server string, statements ...string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err = conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// WithOptions is a database's URL with more options: names and values by turns.
func WithOptions(t testing.TB, address string, options ...string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for i := 0; i < len(options); i += 2 {
		q.Set(options[i], options[i+1])
	}
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // Postgres' clients know no other space
	return u.String()
}

// onDatabase is the server's URL with another database.
func onDatabase(server, name string) (string, error) {
	parsed, err := url.Parse(server)
	if err != nil || parsed.Scheme == "" {
		return "", fmt.Errorf("%s must be a URL, postgres://user@host:port/database", DatabaseVariable)
	}
	parsed.Path = "/" + name
	return parsed.String(), nil
}
