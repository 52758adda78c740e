// Package program is the command line of the warehouse: its grammar, and what its commands know of
// the service.
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
	"allocation/cmd/internal/service"
	"allocation/cmd/warehouse/language"
	"allocation/domain/warehouse"
	store "allocation/store/warehouse"
)

// grammar is the command line.
type grammar struct {
	Worker   service.Command `cmd:"" help:"Run a worker until SIGTERM."`
	Simulate simulateCommand `cmd:"" help:"Play the people of the warehouse: goods come, are damaged and counted."`
	Migrate  migrate.Command `cmd:"" help:"Bring the database's schema up to date."`
	Topics   topics.Command  `cmd:"" help:"Create the topics."`
	Send     send.Command    `cmd:"" help:"Send commands."`
	Tail     tail.Command    `cmd:"" help:"Print events as they come."`
	Ledger   ledgerCommand   `cmd:"" help:"Print what is in the warehouse, and what became of the rest."`
	Explain  explainCommand  `cmd:"" help:"Say what became of a command."`
	Status   status.Command  `cmd:"" help:"Print how everything is, and what needs a person."`
	Dlq      dlq.Command     `cmd:"" name:"dlq" help:"List, show, retry and discard dead letters."`
	Offsets  offsets.Command `cmd:"" help:"Print positions, and decide about those that cannot be used."`

	Version kong.VersionFlag `help:"Print the version."`
}

type explainCommand struct {
	Command explain.Record `cmd:"" help:"Explain a command: what became of it."`
}

const description = `Plays a warehouse, with a ledger of its own. Tasks and the events of orders and of stock come from Kafka, state is kept in Postgres, events and
commands for stock go to Kafka.

Without settings, every command but "worker" talks to the servers of "allocation dev". Each variable begins with WAREHOUSE_.
Exit codes: 0 done, 1 failed, 2 wrong usage.`

// New makes a run of the program.
func New(in io.Reader, out, err io.Writer) *cli.Program {
	return &cli.Program{
		Name: "warehouse", Description: description,
		Grammar: &grammar{
			Send: send.Command{Given: send.Given{Language: &language.Warehouse}}, Tail: tail.Command{Words: language.Words},
			Explain: explainCommand{explain.Record{Words: language.Words}},
		},
		Service: store.Service, Vocabulary: vocabulary(), Discarded: language.Discarded,
		In: in, Out: out, Err: err,
	}
}

func vocabulary() config.Vocabulary {
	return config.Vocabulary{
		Prefix: "WAREHOUSE_", Commands: warehouse.TaskNames(), Events: warehouse.Events, Reasons: warehouse.Reasons, Key: "sku", Entity: "article",
		Topic: "warehouse.tasks", HTTPAddr: "127.0.0.1:8084",
		Takes: []config.Other{
			{Topic: "allocation.events", TypePrefix: "allocation.v1.", Types: warehouse.StockFacts()},
			{Topic: "orders.events", TypePrefix: "orders.v1.", Types: []string{warehouse.ReadyOrder}},
		},
		Sends: []config.Other{
			{Topic: "warehouse.commands", TypePrefix: "allocation.v1.", Types: warehouse.StockCommands()},
			{TypePrefix: store.TypePrefix, Types: []string{"PickLine"}},
		},
		Examples: config.Examples{
			Type: "CountBatch", Key: "CHAIR", Bare: "counts=CountBatch", Route: "LineShipped=warehouse.shipped", Other: "orders.events=shop.events",
			Again: "A ReportDamage damages as much again, unless its report is among the last of the batch.",
		},
	}
}
