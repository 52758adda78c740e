package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"allocation/cmd/allocation/config"
)

// The exit codes: public contract.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// grammar is the command line. Settings have an environment variable, which is named beside the
// flag. Flags that act or filter have none: what an environment holds by accident must not arm or
// narrow a command.
type grammar struct {
	Dev     devCommand       `cmd:"" help:"Run everything in one process, to try it."`
	Worker  workerCommand    `cmd:"" help:"Run a worker until SIGTERM."`
	Migrate migrateCommand   `cmd:"" help:"Bring the database's schema up to date."`
	Topics  topicsCommand    `cmd:"" help:"Create the topics."`
	Send    sendCommand      `cmd:"" help:"Send commands."`
	Tail    tailCommand      `cmd:"" help:"Print events as they come."`
	Show    showCommand      `cmd:"" help:"Print what is known about an order, a product or a batch."`
	Dlq     dlqCommand       `cmd:"" name:"dlq" help:"List, show, retry and discard dead letters."`
	Offsets offsetsCommand   `cmd:"" help:"Print positions, and decide about those that cannot be used."`
	Verify  verifyCommand    `cmd:"" help:"Check the database against itself and against the events."`
	Bench   benchCommand     `cmd:"" help:"Measure a broker and a database."`
	Version kong.VersionFlag `help:"Print the version."`
}

const description = `Allocates order lines to batches of stock. Commands come from Kafka, state is kept in Postgres, events go to Kafka.

Without settings, every command talks to the servers of "allocation dev".
Exit codes: 0 done, 1 failed, 2 wrong usage.`

// program is one run of the binary.
type program struct {
	in       io.Reader
	out, err io.Writer

	variables  map[string]string // the environment variable of each flag
	user, role string            // who it is in Postgres, and the role that this needs
}

// run does what the arguments say and returns the exit code.
func (p *program) run(ctx context.Context, args []string) int {
	answered := false // --help or --version: kong goes on after its answer
	parser := p.parser(kong.Exit(func(int) { answered = true }), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(p))
	p.variables = variablesOf(parser.Model.Node)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if err := refuseOther(args); err != nil {
		return p.finish(err)
	}
	parsed, err := parser.Parse(args)
	if answered {
		return exitDone
	}
	if err != nil {
		return p.finish(misuse("%w\nRun %s --help to see what it takes.", err, helpFor(err)))
	}
	p.warnOfVariables(parsed)
	if err := refuseEmpty(parsed); err != nil {
		return p.finish(err)
	}
	return p.finish(parsed.Run())
}

func (p *program) parser(more ...kong.Option) *kong.Kong {
	parser, err := kong.New(&grammar{}, append(more,
		kong.Name("allocation"), kong.Description(description),
		kong.Vars{"version": version()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		kong.Writers(p.out, p.err))...)
	if err != nil {
		panic(err) // the grammar itself is wrong
	}
	return parser
}

// finish tells the user how the run ended.
func (p *program) finish(err error) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(p.err, "allocation: %s\n", printableLines(strings.TrimRight(err.Error(), "\n")+p.advice(err)))
	var usage *usageError
	var settings *config.Error
	if errors.As(err, &usage) || errors.As(err, &settings) {
		return exitUsage
	}
	return exitFailed
}

// tell prints something to act on that is no failure.
func (p *program) tell(format string, args ...any) {
	fmt.Fprintf(p.err, "allocation: %s\n", printableLines(fmt.Sprintf(format, args...)))
}

// helpFor names the command that was meant.
func helpFor(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil && parse.Context.Selected() != nil {
		return "allocation " + parse.Context.Selected().Path()
	}
	return "allocation"
}

func variablesOf(node *kong.Node) map[string]string {
	variables := map[string]string{}
	for _, flag := range node.Flags {
		if len(flag.Envs) > 0 {
			variables[flag.Name] = flag.Envs[0]
		}
	}
	for _, child := range node.Children {
		for flag, variable := range variablesOf(child) {
			variables[flag] = variable
		}
	}
	return variables
}

// problems makes a collection for mistakes in the settings.
func (p *program) problems() *config.Problems { return config.NewProblems(p.variables) }

// usageError is a mistake of who called the program.
type usageError struct{ err error }

func misuse(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// printJSON prints one line for programs.
func (p *program) printJSON(v any) error {
	encoder := newJSONEncoder(p.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
