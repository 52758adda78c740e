package contest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Contestant is a program that takes part.
type Contestant struct {
	// Setup makes the tables in an empty database, and one large batch of each product.
	Setup func(context.Context, Settings) error
	// Run works until the context ends, and then finishes what is in flight.
	Run func(context.Context, Settings) error
}

// Main is the program: with -setup it prepares the database and exits, else it runs until SIGTERM.
func Main(c Contestant) {
	settings := Register(flag.CommandLine)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	do := c.Run
	if settings.Setup {
		do = c.Setup
	}
	err := do(ctx, *settings)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
