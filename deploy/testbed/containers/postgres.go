package containers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/testcontainers/testcontainers-go"

	"allocation/deploy/local"
	"allocation/deploy/testbed/await"
)

// PostgresImage is the official image.
const PostgresImage = "postgres:17"

// Postgres starts a Postgres server with settings. Its error is ErrUnavailable, or shows the end of
// the container's log.
func Postgres(ctx context.Context, settings map[string]string) (*Container, error) {
	port, err := local.FreePort()
	if err != nil {
		return nil, err
	}
	url := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	return run(ctx, PostgresImage, url, func(ctx context.Context) error { return awaitPostgres(ctx, url) },
		onPort("5432/tcp", port),
		testcontainers.WithEnv(map[string]string{
			"POSTGRES_HOST_AUTH_METHOD": "trust",
			"POSTGRES_INITDB_ARGS":      "--encoding=UTF8 --locale=C --no-sync",
		}),
		testcontainers.WithCmd(postgresCommand(settings)...),
	)
}

func postgresCommand(settings map[string]string) []string {
	command := []string{"postgres"}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		command = append(command, "-c", name+"="+settings[name])
	}
	return command
}

// awaitPostgres returns when the server answers over the network, which it does not while the image
// prepares its data.
func awaitPostgres(ctx context.Context, url string) error {
	const startTime = 60 * time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("it did not answer in time"))
	defer cancel()
	return await.Yes(ctx, url, "select true")
}
