// Package program is the command line of allocation: its grammar, and what its commands know of the
// service. Each command is a package.
package program

import (
	"context"
	"io"
	"os"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"

	"allocation/cmd/allocation/bench"
	"allocation/cmd/allocation/console"
	"allocation/cmd/allocation/demo"
	"allocation/cmd/allocation/event"
	"allocation/cmd/allocation/explain"
	"allocation/cmd/allocation/export"
	"allocation/cmd/allocation/language"
	"allocation/cmd/allocation/list"
	"allocation/cmd/allocation/replay"
	"allocation/cmd/allocation/show"
	"allocation/cmd/allocation/tail"
	"allocation/cmd/allocation/try"
	"allocation/cmd/allocation/verify"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	web "allocation/cmd/internal/console"
	"allocation/cmd/internal/dev"
	"allocation/cmd/internal/operate/dlq"
	record "allocation/cmd/internal/operate/explain"
	"allocation/cmd/internal/operate/migrate"
	"allocation/cmd/internal/operate/offsets"
	"allocation/cmd/internal/operate/send"
	"allocation/cmd/internal/operate/status"
	"allocation/cmd/internal/operate/topics"
	"allocation/cmd/internal/service"
	"allocation/domain/product"
	"allocation/store/products"
)

// grammar is the command line. Settings have an environment variable, which is named beside the
// flag. Flags that act or filter have none: what an environment holds by accident must not arm or
// narrow a command.
type grammar struct {
	Dev     demo.Command     `cmd:"" help:"Run everything in one process, to try it."`
	Worker  service.Command  `cmd:"" help:"Run a worker until SIGTERM."`
	Migrate migrate.Command  `cmd:"" help:"Bring the database's schema up to date."`
	Topics  topics.Command   `cmd:"" help:"Create the topics."`
	Send    send.Command     `cmd:"" help:"Send commands."`
	Tail    tail.Command     `cmd:"" help:"Print events as they come."`
	Show    show.Command     `cmd:"" help:"Print what is known about an order, a product or a batch."`
	Explain explain.Command  `cmd:"" help:"Say how an order, a batch, a product or a command came to be as it is."`
	Try     try.Command      `cmd:"" help:"Say what commands would come to now, and do nothing."`
	List    list.Command     `cmd:"" help:"Print products, batches, order lines and orders by filters."`
	Status  status.Command   `cmd:"" help:"Print how everything is, and what needs a person."`
	Console web.Command      `cmd:"" help:"Serve web pages that say how everything is, and why."`
	Export  export.Command   `cmd:"" help:"Write what happened to a product as a file that can be replayed."`
	Replay  replay.Command   `cmd:"" help:"Decide the commands of such a file again, and show what differs."`
	Dlq     dlq.Command      `cmd:"" name:"dlq" help:"List, show, retry and discard dead letters."`
	Offsets offsets.Command  `cmd:"" help:"Print positions, and decide about those that cannot be used."`
	Verify  verify.Command   `cmd:"" help:"Check the database against itself and against the events."`
	Bench   bench.Command    `cmd:"" help:"Measure a broker and a database."`
	Version kong.VersionFlag `help:"Print the version."`
}

const description = `Allocates order lines to batches of stock. Commands come from Kafka, state is kept in Postgres, events go to Kafka.

Without settings, every command but "worker" talks to the servers of "allocation dev".
Exit codes: 0 done, 1 failed, 2 wrong usage.`

// Main runs the program with this process's arguments, and ends the process. hooks are a worker's.
func Main(hooks service.Hooks) {
	uuid.EnableRandPool() // send -f makes an id for each line; only here is nobody making one yet
	ctx, stop := cli.UntilSignal(context.Background())
	code := New(os.Stdin, os.Stdout, os.Stderr, hooks).Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// New makes a run of the program. hooks are a worker's.
func New(in io.Reader, out, err io.Writer, hooks service.Hooks) *cli.Program {
	pages, given := console.Product(), send.Given{Language: &language.Products}
	return &cli.Program{
		Name: "allocation", Description: description,
		Grammar: &grammar{
			Dev:    demo.Command{Command: dev.Command{Product: pages, Try: tries, Why: "explain order o2"}},
			Worker: service.Command{Hooks: hooks}, Console: web.Command{Product: pages},
			Send: send.Command{Given: given}, Try: try.Command{Given: given},
			Explain: explain.Command{Command: record.Record{Words: event.Words}},
		},
		Service: products.Service, Vocabulary: vocabulary(),
		In: in, Out: out, Err: err,
	}
}

// tries are what dev says to try: the README's quick start.
var tries = []string{
	"send CreateBatch ref=b1 sku=CHAIR qty=50",
	"send CreateBatch ref=b2 sku=CHAIR qty=50 eta=2030-01-01",
	"send Allocate orderid=o1 sku=CHAIR qty=20",
	"send Allocate orderid=o2 sku=CHAIR qty=20",
	"send ChangeBatchQuantity batchref=b1 sku=CHAIR qty=25",
	"show order o2",
	"tail --from-beginning",
}

func vocabulary() config.Vocabulary {
	v := config.Vocabulary{
		Commands: product.CommandNames(), Events: product.EventNames(), Key: "sku", Entity: "product", Topic: "warehouse.commands",
		Examples: config.Examples{
			Type: "Allocate", Key: "CHAIR", Bare: "change_batch_quantity=ChangeBatchQuantity", Route: "Allocated=line_allocated",
			Again: "A ChangeBatchQuantity without revision and ce_id sets its old count again, and an Allocate of a line that was cancelled since is refused.",
		},
	}
	for _, reason := range product.Reasons {
		v.Reasons = append(v.Reasons, string(reason))
	}
	return v
}
