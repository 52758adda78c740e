package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"allocation/deploy/local/child"
)

// Postgres is a running server. It dies with this process.
type Postgres struct {
	options  PostgresOptions
	lock     *os.File
	programs programs
	account  account
	process  *child.Process
	data     string
	logPath  string
}

// postgresData is the folder of the data in Dir.
const postgresData = "postgres"

// shutdownTime is how long a server may take to stop before it is killed; it recovers at its next
// start.
const shutdownTime = 20 * time.Second

// StartPostgres serves a data folder, which it makes at first, and returns when the server answers.
//
// The programs are those of the machine that fit the data, the newest for a new folder, or else
// downloaded and kept in the user's cache folder. Its error is an *AddrInUseError when the port is
// taken, ErrFolderInUse when another process serves the folder, ErrFolderNotOwn when that is not
// only this user's, ErrOtherVersion when no fitting programs can be had, ErrOtherPassword when the
// data was made with another password or without one, or shows the end of the server's log.
func StartPostgres(ctx context.Context, options PostgresOptions) (*Postgres, error) {
	if err := options.setDefaults(); err != nil {
		return nil, err
	}
	p, err := preparePostgres(options)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := p.start(ctx); err != nil {
		p.lock.Close()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return p, nil
}

func preparePostgres(options PostgresOptions) (*Postgres, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, err
	}
	if err := OwnFolder(dir); err != nil {
		return nil, err
	}
	lock, err := LockFolder(filepath.Join(dir, "postgres.lock"))
	if err != nil {
		return nil, err
	}
	return &Postgres{
		options: options,
		lock:    lock,
		data:    filepath.Join(dir, postgresData),
		logPath: filepath.Join(dir, "postgres.log"),
	}, nil
}

func (p *Postgres) start(ctx context.Context) error {
	if err := awaitFormerServer(ctx, p.data); err != nil {
		return err
	}
	if err := checkPort("Postgres", loopback(p.options.Port), p.options.PortFlag); err != nil {
		return err
	}
	var err error
	if p.programs, err = programsFor(p.data, p.options.Output); err != nil {
		return err
	}
	if p.account, err = chooseAccount(p.data); err != nil {
		return err
	}
	if err := p.initialize(ctx); err != nil {
		return err
	}
	if err := p.launch(); err != nil {
		return err
	}
	if err := p.awaitReady(ctx); err != nil {
		_ = p.Shutdown(context.WithoutCancel(ctx), syscall.SIGQUIT)
		return err
	}
	return nil
}

// launch starts the server. When this process dies, the server ends at once, as by an immediate
// shutdown, and recovers at its next start.
func (p *Postgres) launch() error {
	log, err := CreateLog(p.logPath)
	if err != nil {
		return err
	}
	defer log.Close()
	server := exec.Command(p.programs.path("postgres"), p.options.arguments(p.data)...)
	server.Stdout, server.Stderr = log, log
	server.Dir = "/" // this process' own may be closed to the server's user
	p.account.apply(server, p.data)
	p.process, err = child.Start(server, syscall.SIGQUIT)
	return err
}

// URL is the connection string of the superuser and the created database, with the password.
func (p *Postgres) URL() string {
	return databaseURL(p.options.user(), p.options.Port, cmp.Or(p.options.Database, "postgres"))
}

// Port is the port that the server listens on.
func (p *Postgres) Port() int { return p.options.Port }

// Done is closed when the server has ended, which it does not by itself.
func (p *Postgres) Done() <-chan struct{} { return p.process.Done() }

// Running reports whether the server has not ended yet.
func (p *Postgres) Running() bool { return p.process.Running() }

// LogPath is the file that the server logs to, begun anew at each start.
func (p *Postgres) LogPath() string { return p.logPath }

// Stop shuts the server down: connections are ended and their transactions rolled back. It returns
// when the server has ended; stopping again is nothing.
func (p *Postgres) Stop() error { return p.Shutdown(context.Background(), syscall.SIGINT) }

// Shutdown ends the server by a signal: SIGTERM waits for clients to go, SIGINT ends their
// connections, SIGQUIT leaves without writing a checkpoint, and SIGKILL kills all its processes. It
// returns when the server has ended.
func (p *Postgres) Shutdown(ctx context.Context, signal syscall.Signal) error {
	if p.process == nil {
		return nil
	}
	defer p.lock.Close()
	if signal == syscall.SIGKILL {
		p.process.Kill()
		removeSharedMemory(p.data)
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, shutdownTime, errors.New("it took too long and was killed"))
	defer cancel()
	err := p.process.End(ctx, signal)
	if err != nil {
		return fmt.Errorf("stop postgres: %w", err)
	}
	return nil
}

// Signal sends a signal, such as SIGSTOP and SIGCONT, to every process of the server.
func (p *Postgres) Signal(signal syscall.Signal) { p.process.SignalAll(signal) }
