package console

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/web"
)

// Command is "console" on the command line.
type Command struct {
	config.Kafka
	config.Database
	config.Events
	Addr     string   `name:"console-addr" env:"CONSOLE_ADDR" default:"127.0.0.1:8090" placeholder:"HOST:PORT" help:"Where the pages are."`
	Token    string   `name:"console-token-file" env:"CONSOLE_TOKEN_FILE" placeholder:"FILE" help:"The file with the token that opens it. Without one, it is for this machine only."`
	Hosts    []string `name:"console-hosts" env:"CONSOLE_HOSTS" placeholder:"NAME,…" help:"The names that browsers reach it by, where that is neither localhost nor an address."`
	Prefix   string   `name:"console-prefix" env:"CONSOLE_PREFIX" placeholder:"/PATH" help:"What all paths begin with, where a proxy has other things beside it."`
	Payloads string   `name:"console-payloads" env:"CONSOLE_PAYLOADS" default:"full" placeholder:"full|masked|none" help:"How much of the content of messages is shown."`

	Product Product `kong:"-"`
}

// Help has an example.
func (Command) Help() string {
	return `Serves web pages that say how everything is and how it came to be so, until SIGTERM. It reads only, with the operator's login to the database.

On another address than one of loopback, such as 0.0.0.0:8090, it wants a token: a browser is asked for it once, programs send it as
Authorization: Bearer TOKEN. Put a proxy with TLS in front, since the token is a secret.

Examples:

    ${program} console
    ${program} console --console-addr 0.0.0.0:8090 --console-token-file token --console-hosts console.example.com`
}

// How long a client may take. A stream of events sets its own end.
const (
	headerTime = 5 * time.Second
	writeTime  = 30 * time.Second
	idleTime   = 2 * time.Minute

	maxHeaderBytes = 128 << 10 // a page's parameters are in its first line
)

// Run serves until the context ends.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	token, err := c.check(p)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("serve the console at --console-addr: %w", err)
	}
	defer listener.Close()
	db, err := p.OpenReader(ctx, c.Database, Adjust)
	if err != nil {
		return err
	}
	defer db.Close()
	console, err := New(ctx, Options{
		Program: p, Store: db, Kafka: c.Kafka, Events: c.Events, Product: c.Product, Where: whereIs(c.Database),
		Prefix: c.Prefix, Hosts: c.Hosts, Token: token, Payloads: Payloads(c.Payloads), Logger: slog.New(slog.NewTextHandler(p.Err, nil)),
	})
	if err != nil {
		return err
	}
	defer console.Close()
	fmt.Fprintf(p.Out, "the console is at http://%s%s/ until Ctrl-C\n", web.ShownAddress(c.Addr, listener.Addr()), c.Prefix)
	return console.Serve(ctx, listener)
}

var prefixPattern = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

// check finds what is wrong with the settings. It gives the token.
func (c *Command) check(p *cli.Program) (token string, err error) {
	problems := p.Problems()
	c.Kafka.Check(problems)
	c.Database.Check(problems)
	c.Events.Check(problems)
	access := web.Access{Name: "console", Addr: c.Addr, TokenFile: c.Token, Hosts: c.Hosts}
	token = access.Check(problems)
	problems.OneOf("console-payloads", []string{c.Payloads}, string(PayloadsFull), string(PayloadsMasked), string(PayloadsNone))
	if c.Prefix != "" && !prefixPattern.MatchString(c.Prefix) {
		problems.Add("console-prefix", c.Prefix, "a path such as /allocation, that does not end with a slash")
	}
	return token, problems.Err()
}

// Adjust makes sessions of a console read only, and ends what takes long.
func Adjust(cfg *pgxpool.Config) {
	cfg.MaxConns = maxRunning + maxWriting
	before := cfg.AfterConnect
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if before != nil {
			if err := before(ctx, conn); err != nil {
				return err
			}
		}
		_, err := conn.Exec(ctx, fmt.Sprintf("set statement_timeout to %d; set default_transaction_read_only to on", PageTime.Milliseconds()))
		return err
	}
}

// whereIs names the database to people, without what is secret.
func whereIs(database config.Database) string {
	address, err := database.URL()
	if err != nil {
		return ""
	}
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s/%s", net.JoinHostPort(cfg.Host, fmt.Sprint(cfg.Port)), url.PathEscape(cfg.Database))
}

// Serve answers until the context ends.
func (c *Console) Serve(ctx context.Context, listener net.Listener) error {
	err := web.Serve(ctx, listener, &http.Server{
		Handler: c, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: writeTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
	})
	if err != nil {
		return fmt.Errorf("serve the console: %w", err)
	}
	return nil
}
