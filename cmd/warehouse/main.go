// Command warehouse plays a warehouse that keeps a ledger of its own: tasks and events of orders
// and of stock come from Kafka, are decided and kept in Postgres, and events and commands for stock
// go to Kafka. Run it with --help.
package main

import (
	"context"
	"os"

	"allocation/cmd/internal/cli"
	"allocation/cmd/warehouse/program"
)

func main() {
	ctx, stop := cli.UntilSignal(context.Background())
	code := program.New(os.Stdin, os.Stdout, os.Stderr).Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
