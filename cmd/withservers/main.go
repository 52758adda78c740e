// Command withservers runs a command beside one Kafka and one Postgres, which it names to it in
// KAFKA_BROKERS and DATABASE_URL:
//
//	go run ./cmd/withservers go test -race ./...
//
// It starts only what those variables do not name already, forwards signals to the command and all
// that it started, stops the servers, removes their files, and exits with the command's code. It
// also ends the command when its own parent dies.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"allocation/deploy/testbed"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: with command [argument...]")
		os.Exit(2)
	}
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "with:", err)
	}
	os.Exit(code)
}

// run returns the command's exit code, or 1 with an error.
func run(arguments []string) (int, error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	go reportOrphaned(signals)

	servers, err := openUnlessSignalled(signals)
	if err != nil {
		return 1, err
	}
	code, err := runCommand(arguments, servers.Environment(), signals)
	if closing := servers.Close(); closing != nil {
		return max(code, 1), errors.Join(err, closing)
	}
	return code, err
}

// openUnlessSignalled starts the servers, and gives up at the first signal.
func openUnlessSignalled(signals <-chan os.Signal) (*testbed.Servers, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	opened := make(chan struct{})
	go func() {
		select {
		case received := <-signals:
			cancel(fmt.Errorf("ended by signal %q", received))
		case <-opened:
		}
	}()
	servers, err := testbed.Open(ctx)
	close(opened)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return nil, cause
	}
	return servers, err
}
