package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"allocation/deploy/local/child"
)

// startTime is how long a server may take to answer: recovery after a crash may be long.
const startTime = 3 * time.Minute

const superuser = "postgres"

// databaseURL is a connection string. The user may have a password, after a colon.
func databaseURL(user string, port int, database string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", user, loopback(port), database)
}

// ErrOtherPassword is returned by StartPostgres for data that has another password, or none.
var ErrOtherPassword = errors.New("data of another password")

// awaitReady returns when the server answers and the wanted database exists. Its error shows the
// end of the server's log.
func (p *Postgres) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("it did not answer in time"))
	defer cancel()
	conn, err := p.connect(ctx)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, child.Tail(p.logPath))
	}
	defer conn.Close(ctx)
	return createDatabase(ctx, conn, p.options.Database)
}

// connect tries again until the server answers, ends, or the time is over.
func (p *Postgres) connect(ctx context.Context) (*pgx.Conn, error) {
	const again = 20 * time.Millisecond
	for {
		conn, err := pgx.Connect(ctx, databaseURL(p.options.user(), p.options.Port, "postgres"))
		if err == nil {
			return conn, nil
		}
		if refusedWith(err, "28P01") { // invalid_password
			return nil, fmt.Errorf("%w: %s; move %s away to begin anew", ErrOtherPassword, p.data, filepath.Dir(p.data))
		}
		select {
		case <-p.process.Done():
			return nil, fmt.Errorf("the server ended: %w", p.process.Err())
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(again):
		}
	}
}

// refusedWith reports whether the server answered with a code.
func refusedWith(err error, code string) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == code
}

func createDatabase(ctx context.Context, conn *pgx.Conn, name string) error {
	if name == "" {
		return nil
	}
	_, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	if refusedWith(err, "42P04") { // duplicate_database
		return nil
	}
	return err
}
