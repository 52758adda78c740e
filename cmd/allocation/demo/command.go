package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/console"
	"allocation/cmd/internal/dev"
	"allocation/cmd/internal/web"
	"allocation/deploy/local"
)

// Command is "dev" on the command line, with a demo of all services.
type Command struct {
	dev.Command
	Demo     bool   `help:"Run all three services, with customers that never stop: orders, stock and a warehouse."`
	ShopAddr string `default:"127.0.0.1:8083" placeholder:"HOST:PORT" help:"Where --demo has the shop."`
}

// flags are those of dev that --demo takes. Its workers are processes with the usual settings.
var flags = []string{"demo", "shop-addr", "dir", "kafka-addr", "postgres-port", "http-addr", "command-topics", "events-topic"}

// Run runs it until the context ends.
func (c *Command) Run(ctx context.Context, p *cli.Program, parsed *kong.Context) error {
	if c.Demo {
		for _, given := range parsed.Path {
			if given.Flag != nil && !slices.Contains(flags, given.Flag.Name) {
				return cli.Misuse("--demo does not take --%s: its workers have the usual settings; leave out one of the two", given.Flag.Name)
			}
		}
		problems := p.Problems()
		problems.Address("shop-addr", c.ShopAddr)
		if problems.Err() == nil && !web.IsLoopback(c.ShopAddr) {
			problems.Add("shop-addr", c.ShopAddr, "for this machine only, such as 127.0.0.1:8083")
		}
		for _, other := range []struct{ flag, addr string }{
			{"http-addr", c.HTTPAddr}, {"kafka-addr", c.KafkaAddr}, {"postgres-port", net.JoinHostPort("127.0.0.1", c.PostgresPort)},
		} {
			if same(c.ShopAddr, other.addr) {
				problems.Add("shop-addr", c.ShopAddr, "another address than that of "+problems.Label(other.flag))
			}
		}
		if c.CommandTopics != stockTopic {
			problems.Add("command-topics", c.CommandTopics, stockTopic+" with --demo, which the other services know")
		}
		if c.EventsTopic != factsTopic {
			problems.Add("events-topic", c.EventsTopic, factsTopic+" with --demo, which the other services know")
		}
		if err := problems.Err(); err != nil {
			return err
		}
		var programs map[string]string
		c.Before = func(ctx context.Context) (err error) {
			if err = isFree(ctx, c.ShopAddr); err == nil {
				programs, err = findPrograms()
			}
			return err
		}
		c.Beside = func(ctx context.Context, s *dev.Servers) (*dev.Beside, error) {
			return begin(ctx, s, programs, c.Product, c.ShopAddr)
		}
	}
	return c.Command.Run(ctx, p)
}

// same reports whether two addresses cannot be listened at both. Port 0 is any that is free.
func same(addr, other string) bool {
	host, port, err1 := net.SplitHostPort(addr)
	otherHost, otherPort, err2 := net.SplitHostPort(other)
	if err1 != nil || err2 != nil || port != otherPort || port == "0" {
		return false
	}
	return host == otherHost || host == "localhost" || otherHost == "localhost"
}

// isFree reports where another program has the address of the shop: the demo's customers would go
// there.
func isFree(ctx context.Context, addr string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return &local.AddrInUseError{Server: "the shop", Addr: addr, Flag: "--shop-addr"}
	}
	if err != nil {
		return fmt.Errorf("listen at --shop-addr: %w", err)
	}
	return listener.Close()
}

// begin starts the services and the customers.
func begin(ctx context.Context, s *dev.Servers, programs map[string]string, pages console.Product, shopAddr string) (*dev.Beside, error) {
	ctx, cancel := context.WithCancel(ctx)
	x := &services{Servers: s, shop: shopAddr}
	err := x.start(ctx, programs)
	var t *troubles
	if err == nil {
		t, err = newTroubles(ctx, x)
	}
	if err != nil {
		cancel()
		x.wait()
		return nil, err
	}
	load := newShoppers("http://" + x.shop)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if x.ready(ctx) == nil && t.stocked(ctx) == nil {
			load.run(ctx)
		}
	}()
	return &dev.Beside{
		Product: product(pages, t),
		Ready:   x.ready,
		Says:    x.says(),
		Close: func() {
			cancel()
			<-ended
			t.close()
			x.wait()
		},
	}, nil
}
