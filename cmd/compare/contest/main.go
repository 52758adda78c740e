package contest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main is a contestant's program: with -setup it makes tables in an empty database, and one large
// batch of each product. Else it works until SIGTERM, and then finishes what is in flight.
func Main(setup, work func(context.Context, Settings) error) {
	prepare := flag.Bool("setup", false, "make tables and batches, and exit")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	do := work
	if *prepare {
		do = setup
	}
	err := do(ctx, settings())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
