package testbed

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// cleanupTime is how long removing a test's database or topic may take.
const cleanupTime = 30 * time.Second

// searchPath lets tests write and read tables by their names alone, also on servers that they name.
const searchPath = "allocation, public"

// Database returns the URL of an empty database of the test's own on the shared server, as a
// superuser. It is dropped when the test has ended, with the connections that are still there.
// Roles belong to the server and are shared by all tests.
func Database(t testing.TB) string {
	t.Helper()
	server := sharedPostgres.forTest(t)
	name := uniqueName(t)
	for _, statement := range []string{"CREATE DATABASE %s", "ALTER DATABASE %s SET search_path = " + searchPath} {
		if err := execute(t.Context(), server, fmt.Sprintf(statement, pgx.Identifier{name}.Sanitize())); err != nil {
			t.Fatalf("create a database for the test: %v", err)
		}
	}
	t.Cleanup(func() { dropDatabase(t, server, name) })
	database, err := onDatabase(server, name)
	if err != nil {
		t.Fatal(err)
	}
	return database
}

func dropDatabase(t testing.TB, server, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
	defer cancel()
	if err := execute(ctx, server, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		t.Errorf("drop the test's database: %v", err)
	}
}

func execute(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
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
