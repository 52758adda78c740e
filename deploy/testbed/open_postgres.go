package testbed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"syscall"

	"allocation/deploy/local"
	"allocation/deploy/local/child"
	"allocation/deploy/testbed/containers"
)

// openPostgres starts a Postgres server with more settings than the usual, in a container or else
// by programs.
func openPostgres(ctx context.Context, settings map[string]string) (*server, error) {
	contained, err := containers.Postgres(ctx, postgresSettings(settings))
	if errors.Is(err, containers.ErrUnavailable) {
		return openPostgresPrograms(ctx, settings)
	}
	if err != nil {
		return nil, err
	}
	return &server{controls: contained, addr: contained.Addr}, nil
}

func openPostgresPrograms(ctx context.Context, settings map[string]string) (*server, error) {
	dir, sweeper, err := child.TempDir("allocation-postgres-*")
	if err != nil {
		return nil, err
	}
	programs := &postgresPrograms{options: local.PostgresOptions{Dir: dir, Settings: postgresSettings(settings), Output: os.Stderr}}
	if err := programs.Start(ctx); err != nil {
		return nil, fmt.Errorf("Postgres for tests (or set %s): %w", DatabaseVariable, errors.Join(err, sweeper.Close())) //nolint:staticcheck // a name
	}
	return &server{controls: swept{programs, sweeper}, addr: programs.running.URL()}, nil
}

// postgresSettings leave everything that makes commits durable as it is, because tests prove
// promises and measure.
func postgresSettings(more map[string]string) map[string]string {
	settings := map[string]string{
		"max_connections": "300",
		// In the data folder, and not where a killed server would leave it.
		"dynamic_shared_memory_type": "mmap",
		"search_path":                searchPath,
	}
	maps.Copy(settings, more)
	return settings
}

// postgresPrograms run a server by the programs of this machine.
type postgresPrograms struct {
	options local.PostgresOptions
	running *local.Postgres
}

func (p *postgresPrograms) Start(ctx context.Context) error {
	running, err := local.StartPostgres(ctx, p.options)
	if err == nil {
		p.running, p.options.Port = running, running.Port()
	}
	return err
}

func (p *postgresPrograms) Signal(ctx context.Context, signal syscall.Signal) error {
	switch signal {
	case syscall.SIGSTOP, syscall.SIGCONT:
		p.running.Signal(signal)
		return nil
	default:
		return p.running.Shutdown(ctx, signal)
	}
}

func (p *postgresPrograms) Close() error {
	p.running.Signal(syscall.SIGCONT)
	return p.running.Shutdown(context.Background(), syscall.SIGQUIT)
}
