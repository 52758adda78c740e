// Package dev runs everything in one process, to try it: Kafka, Postgres, a worker and the console.
// What they hold is kept in a folder.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os/exec"
	"sync/atomic"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/console"
	"allocation/cmd/internal/service"
	"allocation/cmd/internal/web"
	"allocation/deploy/local"
)

// Command is "dev" on the command line.
type Command struct {
	Dir          string `default:".allocation" placeholder:"DIR" help:"Where the data is kept."`
	KafkaAddr    string `default:"127.0.0.1:19092" placeholder:"HOST:PORT" help:"Where Kafka listens."`
	PostgresPort string `default:"15432" placeholder:"PORT" help:"Where Postgres listens, on 127.0.0.1."`
	HTTPAddr     string `name:"http-addr" env:"HTTP_ADDR" default:"${http_addr}" help:"Where the console, health and metrics are."`
	config.Topics
	config.Group
	config.Tuning

	Product console.Product `kong:"-"` // what the service adds to the console
	Try     []string        `kong:"-"` // commands to try, without the program's name
	Why     string          `kong:"-"` // another one, which explains what they came to

	// Before is called when the folder is this process', and nothing has started; nil: nothing is.
	Before func(context.Context) error `kong:"-"`

	// Beside starts what runs in place of the worker of this process, once the servers are there. It
	// ends with the context, and is closed after that. nil: the worker runs here.
	Beside func(context.Context, *Servers) (*Beside, error) `kong:"-"`
}

// Help is what --help adds.
func (Command) Help() string {
	return `Runs Kafka (an embedded one that real clients can connect to), Postgres (this machine's programs, or downloaded ones), and a worker, with
topics and schema made. What they hold is kept in --dir and is there again at the next start. Ctrl-C stops everything. The console's pages are at
--http-addr, if only this machine reaches that.

Only you can enter that folder. Postgres' password is in it, in the file pgpass, where other commands find it that run in the same folder. Kafka and the
console need no password: other users of this machine can reach them, but not from other machines.

Examples:

    ${program} dev
    ${program} dev --dir /tmp/second --kafka-addr 127.0.0.1:29092 --postgres-port 25432 --http-addr 127.0.0.1:8081`
}

// Run runs everything until the context ends.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	settings, port, err := c.settings(p)
	if err != nil {
		return err
	}
	files, err := openFiles(c.Dir) // before addresses: a process that uses the folder has these, too
	if err != nil {
		return err
	}
	defer files.close()
	if c.Before != nil {
		if err := c.Before(ctx); err != nil {
			return err
		}
	}
	listener, err := service.Listen(ctx, c.HTTPAddr)
	if err != nil {
		return err
	}
	if err := files.openLog(); err != nil {
		_ = listener.Close()
		return err
	}
	d := &session{Program: p, command: c, settings: settings, listener: listener, files: files, logger: newLogger(files.log, p.Err)}
	err = d.run(ctx, port)
	if errors.Is(context.Cause(ctx), cli.ErrSignal) {
		return ignoreCancelled(err)
	}
	return err
}

// ignoreCancelled drops the error of what a person stopped while it began.
func ignoreCancelled(err error) error {
	var program *exec.ExitError // such as initdb, which was stopped with it
	if errors.Is(err, context.Canceled) || errors.Is(err, cli.ErrSignal) || errors.As(err, &program) {
		return nil
	}
	return err
}

// newLogger logs everything to a file, and what a person should know to the terminal too.
func newLogger(file, terminal io.Writer) *slog.Logger {
	return slog.New(slog.NewMultiHandler(
		slog.NewTextHandler(file, nil),
		slog.NewTextHandler(terminal, &slog.HandlerOptions{Level: slog.LevelWarn})))
}

func (c *Command) settings(p *cli.Program) (settings service.Settings, postgresPort int, err error) {
	problems := p.Problems()
	c.Topics.Check(problems)
	problems.Address("kafka-addr", c.KafkaAddr)
	problems.Address("http-addr", c.HTTPAddr)
	if c.Dir == "" {
		problems.Add("dir", c.Dir, "a folder, which is made if it does not exist")
	}
	settings = service.Settings{
		Name: p.Name, Service: p.Service, Database: config.Database{Schema: p.Name},
		Topics: c.Topics, Group: c.Group.Check(problems), Tuning: c.Tuning.Check(problems),
	}
	postgresPort = problems.Integer("postgres-port", c.PostgresPort, 0, 65535)
	return settings, postgresPort, problems.Err()
}

// session is what runs, and where.
type session struct {
	*cli.Program
	command  *Command
	settings service.Settings
	listener net.Listener
	files    *files
	logger   *slog.Logger

	kafka *local.Kafka

	postgresPort int
	postgresLog  string
	postgres     atomic.Pointer[local.Postgres] // nil: it is stopped, or was never started
	ended        context.CancelCauseFunc        // ends all where Postgres did by itself
}

// run starts everything, tells the user, and stops everything when the context ends.
func (d *session) run(ctx context.Context, port int) error {
	fmt.Fprintln(d.Out, "starting …")
	ctx, d.ended = context.WithCancelCause(ctx)
	defer d.ended(nil)
	err := d.startServers(ctx, port)
	defer d.stopServers()
	if err == nil {
		err = d.prepare(ctx)
	}
	if err != nil {
		_ = d.listener.Close()
		return err
	}
	defer fmt.Fprintln(d.Out, "stopped; the data is in", d.command.Dir)
	if d.command.Beside != nil {
		return endedBy(ctx, d.accompany(ctx))
	}
	return endedBy(ctx, d.work(ctx))
}

// endedBy adds why the context ended, where that was no signal.
func endedBy(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, cli.ErrSignal) {
		return errors.Join(cause, err)
	}
	return err
}

func (d *session) stopServers() {
	if d.kafka != nil {
		d.kafka.Close()
	}
	if postgres := d.postgres.Swap(nil); postgres != nil {
		if err := postgres.Stop(); err != nil {
			d.logger.Error("stop Postgres", "error", err)
		}
	}
}

// work runs the worker and the console, and says when they are ready.
func (d *session) work(ctx context.Context) error {
	if web.IsLoopback(d.command.HTTPAddr) {
		pages, err := d.openConsole(ctx, d.command.Product)
		if err != nil {
			_ = d.listener.Close()
			return err
		}
		defer pages.close()
		d.settings.Pages = pages
	}
	process := service.New(d.settings, d.logger)
	waiting, stop := context.WithCancel(ctx)
	told := make(chan struct{})
	go func() {
		defer close(told)
		if process.AwaitReady(waiting) {
			d.welcome()
		}
	}()
	err := process.Run(ctx, d.listener)
	stop()
	<-told
	return err
}
