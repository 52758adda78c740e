package dev

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"allocation/cmd/internal/config"
	"allocation/cmd/internal/console"
	"allocation/cmd/internal/web"
	"allocation/deploy/local"
)

// Beside is what runs in place of the worker of this process.
type Beside struct {
	Product console.Product             // what the console shows
	Ready   func(context.Context) error // returns when all of it works
	Says    []string                    // for the user: where what is, and what to try
	Close   func()                      // waits for the end of all of it
}

// accompany runs what is beside the servers, and the console, and says when they are ready.
func (d *session) accompany(ctx context.Context) error {
	defer d.listener.Close()
	if !web.IsLoopback(d.command.HTTPAddr) {
		return fmt.Errorf("--http-addr is %q, which other machines reach; it must be for this machine only, such as 127.0.0.1:8080", d.command.HTTPAddr)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	beside, err := d.command.Beside(ctx, &Servers{d})
	if err != nil {
		return err
	}
	defer beside.Close()
	defer cancel() // before it is waited for
	pages, err := d.openConsole(ctx, beside.Product)
	if err != nil {
		return err
	}
	defer pages.close()
	told := make(chan error, 1)
	go func() {
		err := beside.Ready(ctx)
		if err != nil {
			cancel()
		} else {
			fmt.Fprintf(d.Out, "\n  Console   http://%s/\n%s\n\nready; Ctrl-C stops everything and keeps the data\n", d.listener.Addr(), strings.Join(beside.Says, "\n"))
		}
		told <- err
	}()
	err = pages.Serve(ctx, d.listener)
	cancel()
	if notReady := <-told; !errors.Is(notReady, context.Canceled) {
		err = errors.Join(notReady, err)
	}
	return err
}

// Servers are those that run, for what runs beside them.
type Servers struct{ d *session }

// Brokers is where Kafka is.
func (s *Servers) Brokers() string { return s.d.kafka.Addr() }

// URL is where Postgres is, with its password: for this process alone.
func (s *Servers) URL() string { return s.d.settings.URL }

// Logger logs to the file in the data's folder; warnings are on the terminal, too.
func (s *Servers) Logger() *slog.Logger { return s.d.logger }

// Terminal is where the user is told what happens.
func (s *Servers) Terminal() io.Writer { return s.d.Out }

// LogPath is the file that something called so logs to.
func (s *Servers) LogPath(name string) string { return filepath.Join(s.d.command.Dir, name+".log") }

// Variables are the environment of a process. They tell it where the servers are, under names that
// begin with the prefix. Of the user's own variables they have PATH, HOME and TMPDIR.
func (s *Servers) Variables(prefix string) []string {
	all := []string{
		prefix + "KAFKA_BROKERS=" + s.Brokers(),
		prefix + "DATABASE_URL=" + config.DevURL(s.d.postgresPort, s.d.files.pgpass),
		prefix + "LOG_FORMAT=text",
	}
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value := os.Getenv(name); value != "" {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// Exports are what a shell needs for a program to find the servers, if the names of its variables
// begin with the prefix: nothing where it finds them by itself.
func (s *Servers) Exports(prefix string) (lines []string) {
	for _, v := range []struct{ name, value, usual string }{
		{"KAFKA_BROKERS", s.Brokers(), config.DevBrokers},
		{"DATABASE_URL", s.d.databaseURL(), config.DevDatabaseURL},
	} {
		if cmp.Or(os.Getenv(prefix+v.name), v.usual) != v.value {
			lines = append(lines, fmt.Sprintf("export %s='%s'", prefix+v.name, v.value))
		}
	}
	return lines
}

// FreeAddress is an address of this machine where nobody listens.
func (s *Servers) FreeAddress() (string, error) {
	port, err := local.FreePort()
	return fmt.Sprintf("127.0.0.1:%d", port), err
}

// Program is another program of this build: it lies beside this one.
func Program(name string) (path string, err error) {
	own, err := os.Executable()
	if err != nil {
		return "", err
	}
	path = filepath.Join(filepath.Dir(own), name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the program %s is not beside %s; `make build` builds both: %w", name, own, err)
	}
	return path, nil
}

// CutPostgres stops Postgres, which ends all its sessions, and starts it again after a while.
func (s *Servers) CutPostgres(ctx context.Context, pause time.Duration) error {
	postgres := s.d.postgres.Swap(nil)
	if postgres == nil {
		return errors.New("Postgres is stopped already") //nolint:staticcheck // a name
	}
	if err := postgres.Stop(); err != nil {
		s.d.logger.Warn("Postgres was killed, since it did not stop", "error", err)
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(pause):
	}
	err := s.d.startPostgres(ctx, s.d.postgresPort)
	if err != nil && ctx.Err() == nil {
		s.d.ended(fmt.Errorf("start Postgres again: %w", err))
	}
	return err
}
