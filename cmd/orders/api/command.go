package api

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/sender"
	"allocation/cmd/internal/web"
)

// Command is "api" on the command line.
type Command struct {
	config.Kafka
	config.Database
	config.Commands
	Addr  string   `name:"api-addr" env:"API_ADDR" default:"127.0.0.1:8083" placeholder:"HOST:PORT" help:"Where the API and the shop page are."`
	Token string   `name:"api-token-file" env:"API_TOKEN_FILE" placeholder:"FILE" help:"The file with the token that opens it. Without one, it is for this machine only."`
	Hosts []string `name:"api-hosts" env:"API_HOSTS" placeholder:"NAME,…" help:"The names that clients reach it by, where that is neither localhost nor an address."`
}

// Help has an example.
func (Command) Help() string {
	return `Serves the HTTP API of carts and orders below /v1, and a page to play a customer, until SIGTERM. /v1/openapi.json says what there is. Any number
of them may run: what changes something is a record on the first of ${prefix}COMMAND_TOPICS, which a worker decides. It reads with the operator's login
to the database, and writes there nothing.

On another address than one of loopback, such as 0.0.0.0:8083, it wants a token, which clients send as Authorization: Bearer TOKEN. Put a proxy with TLS
in front, since the token is a secret.

Examples:

    ${program} api
    ${program} api --api-addr 0.0.0.0:8083 --api-token-file token --api-hosts shop.example.com`
}

// How long a client may take, and how much it may send.
const (
	headerTime     = 5 * time.Second
	bodyTime       = 10 * time.Second
	writeTime      = maxWait + sendTime + 4*readTime
	idleTime       = 2 * time.Minute
	maxHeaderBytes = 32 << 10
)

// Run serves until the context ends.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.Kafka.Check(problems)
	c.Database.Check(problems)
	c.Commands.Check(problems)
	access := web.Access{Name: "api", Addr: c.Addr, TokenFile: c.Token, Hosts: c.Hosts}
	token := access.Check(problems)
	if err := problems.Err(); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("serve the API at --api-addr: %w", err)
	}
	defer listener.Close()
	db, err := p.OpenReader(ctx, c.Database, adjust)
	if err != nil {
		return err
	}
	defer db.Close()
	logger := slog.New(slog.NewTextHandler(p.Err, nil))
	client, err := sender.New(c.CommandTopicNames()[0], sendTime, slices.Concat(c.Kafka.Options(p.Name, c.Kafka.Dialer()), []kgo.Opt{
		kgo.WithLogger(cli.QuietLogger(logger.Handler())), kgo.MetadataMinAge(100 * time.Millisecond),
	})...)
	if err != nil {
		return err
	}
	defer client.Close()
	a, err := New(ctx, Options{
		Store: db, Sender: client, Door: web.NewDoor(c.Hosts, token, "orders", "", logger), Logger: logger,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "the API is at http://%s/v1/, and the shop at http://%[1]s/ until Ctrl-C\n", web.ShownAddress(c.Addr, listener.Addr()))
	err = web.Serve(ctx, listener, &http.Server{
		Handler: a, ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, WriteTimeout: writeTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
	})
	if err != nil {
		return fmt.Errorf("serve the API: %w", err)
	}
	return nil
}

// adjust makes sessions read only, and ends what takes long.
func adjust(cfg *pgxpool.Config) {
	cfg.MaxConns = maxReading/2 + 2
	before := cfg.AfterConnect
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if before != nil {
			if err := before(ctx, conn); err != nil {
				return err
			}
		}
		_, err := conn.Exec(ctx, fmt.Sprintf("set statement_timeout to %d; set default_transaction_read_only to on", readTime.Milliseconds()))
		return err
	}
}
