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
	Run func(context.Context, Settings, *Report) error
}

// Main is the program: with -setup it prepares the database and exits, else it runs until SIGTERM
// and prints its report.
func Main(c Contestant) {
	settings := Register(flag.CommandLine)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := c.main(ctx, *settings)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (c Contestant) main(ctx context.Context, settings Settings) error {
	if settings.Setup {
		return c.Setup(ctx, settings)
	}
	report := new(Report)
	if err := c.Run(ctx, settings, report); err != nil {
		return err
	}
	return report.Print(os.Stdout)
}
