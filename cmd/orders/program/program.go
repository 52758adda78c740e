// Package program is the command line of orders: its grammar, and what its commands know of the
// service.
package program

import (
	"io"

	"github.com/alecthomas/kong"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/dlq"
	"allocation/cmd/internal/operate/explain"
	"allocation/cmd/internal/operate/migrate"
	"allocation/cmd/internal/operate/offsets"
	"allocation/cmd/internal/operate/send"
	"allocation/cmd/internal/operate/status"
	"allocation/cmd/internal/operate/tail"
	"allocation/cmd/internal/operate/topics"
	"allocation/cmd/orders/api"
	"allocation/cmd/orders/language"
	"allocation/domain/order"
	"allocation/store/orders"
)

// grammar is the command line.
type grammar struct {
	Worker  workerCommand   `cmd:"" help:"Run a worker until SIGTERM."`
	API     api.Command     `cmd:"" name:"api" help:"Serve the HTTP API and the shop page."`
	Migrate migrate.Command `cmd:"" help:"Bring the database's schema up to date."`
	Topics  topics.Command  `cmd:"" help:"Create the topics."`
	Send    send.Command    `cmd:"" help:"Send commands."`
	Tail    tail.Command    `cmd:"" help:"Print events as they come."`
	Explain explainCommand  `cmd:"" help:"Say what became of a command."`
	Status  status.Command  `cmd:"" help:"Print how everything is, and what needs a person."`
	Dlq     dlq.Command     `cmd:"" name:"dlq" help:"List, show, retry and discard dead letters."`
	Offsets offsets.Command `cmd:"" help:"Print positions, and decide about those that cannot be used."`

	Version kong.VersionFlag `help:"Print the version."`
}

type explainCommand struct {
	Command explain.Record `cmd:"" help:"Explain a command: what became of it."`
}

const description = `Keeps customers' carts and orders. Commands and the events of stock come from Kafka, state is kept in Postgres, events and commands for stock go
to Kafka.

Without settings, every command but "worker" talks to the servers of "allocation dev". Each variable begins with ORDERS_.
Exit codes: 0 done, 1 failed, 2 wrong usage.`

// New makes a run of the program.
func New(in io.Reader, out, err io.Writer) *cli.Program {
	return &cli.Program{
		Name: "orders", Description: description,
		Grammar: &grammar{
			Send: send.Command{Given: send.Given{Language: &language.Orders}}, Tail: tail.Command{Words: language.Words},
			Explain: explainCommand{explain.Record{Words: language.Words}},
		},
		Service: orders.Service(order.Settings{}), Vocabulary: vocabulary(), Discarded: language.Discarded,
		In: in, Out: out, Err: err,
	}
}

func vocabulary() config.Vocabulary {
	v := config.Vocabulary{
		Prefix: "ORDERS_", Commands: order.CommandNames(), Events: order.EventNames(), Key: "customerid", Entity: "customer", Topic: "orders.commands", HTTPAddr: "127.0.0.1:8082",
		Takes: []config.Other{{Topic: "allocation.events", TypePrefix: "allocation.v1.", Types: order.FactNames()}},
		Sends: []config.Other{
			{Topic: "warehouse.commands", TypePrefix: "allocation.v1.", Types: []string{order.Allocate, order.Deallocate}},
			{TypePrefix: orders.TypePrefix, Types: []string{"ReviewOrder", "ReviewBatch"}},
		},
		Examples: config.Examples{
			Type: "PlaceOrder", Key: "alice", Bare: "place_order=PlaceOrder", Route: "OrderReady=warehouse.orders", Other: "allocation.events=stock.events",
			Again: "An AddToCart adds its line once more, and a PlaceOrder of a cart that expired since is refused.",
		},
	}
	for _, reason := range order.Reasons {
		v.Reasons = append(v.Reasons, string(reason))
	}
	return v
}
