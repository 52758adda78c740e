// Command allocation allocates order lines to batches of stock: commands come from Kafka, are
// decided and kept in Postgres, and events go back to Kafka. Run it with --help.
//
// A file's name begins with its subcommand's; program.go has them all. wiring.go puts a worker
// together, which dev, worker and the tests share.
package main

import (
	"context"
	"os"

	"allocation/cmd/internal/cli"

	"github.com/google/uuid"
)

func main() {
	uuid.EnableRandPool() // send -f makes an id for each line; only here is nobody making one yet
	ctx, stop := cli.UntilSignal(context.Background())
	p := newProgram(os.Stdin, os.Stdout, os.Stderr)
	code := p.Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
