package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"allocation/cmd/internal/config"
	"allocation/store"
)

// The exit codes: public contract.
const (
	ExitDone   = 0
	ExitFailed = 1
	ExitUsage  = 2
)

// Program is one run of a binary with subcommands.
type Program struct {
	Name        string
	Description string        // for --help
	Grammar     any           // points to the struct that kong reads the command line into
	Service     store.Service // whose database it opens
	Vocabulary  config.Vocabulary

	// Discarded says what a person should know of who discards a dead letter; empty where that is
	// nothing. It may be nil.
	Discarded func(*store.Letter) string

	In       io.Reader
	Out, Err io.Writer

	args       []string          // of this run
	variables  map[string]string // the environment variable of each flag
	user, role string            // who it is in Postgres, and the role that this needs
}

// Run does what the arguments say and returns the exit code.
func (p *Program) Run(ctx context.Context, args []string) int {
	answered := false // --help or --version: kong goes on after its answer
	parser := p.Parser(kong.Exit(func(int) { answered = true }), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(p))
	p.variables = variablesOf(parser.Model.Node)
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "help": // "help send", as other programs have it
		args = append(slices.Clone(args[1:]), "--help")
	}
	if err := refuseOther(args); err != nil {
		return p.finish(ctx, err)
	}
	p.args = args
	parsed, err := parser.Parse(args)
	if answered {
		return ExitDone
	}
	if err != nil {
		return p.finish(ctx, Misuse("%w\nRun %s --help to see what it takes.", err, p.helpFor(err)))
	}
	p.warnOfVariables(parsed)
	if err := refuseEmpty(parsed); err != nil {
		return p.finish(ctx, err)
	}
	return p.finish(ctx, parsed.Run())
}

// Parser reads command lines of the program.
func (p *Program) Parser(more ...kong.Option) *kong.Kong {
	parser, err := kong.New(p.Grammar, append(more,
		kong.Name(p.Name), kong.Description(p.Description),
		p.words(), p.adopt(), kong.Bind(p.Vocabulary),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		kong.Writers(p.Out, p.Err))...)
	if err != nil {
		panic(err) // the grammar itself is wrong
	}
	return parser
}

// finish tells the user how the run ended.
func (p *Program) finish(ctx context.Context, err error) int {
	if err == nil {
		return ExitDone
	}
	err = stoppedBy(ctx, err)
	fmt.Fprintf(p.Err, "%s: %s\n", p.Name, PrintableLines(strings.TrimRight(err.Error(), "\n")+p.advice(err)))
	var usage *usageError
	var settings *config.Error
	if errors.As(err, &usage) || errors.As(err, &settings) {
		return ExitUsage
	}
	return ExitFailed
}

// Tell prints something to act on that is no failure.
func (p *Program) Tell(format string, args ...any) {
	fmt.Fprintf(p.Err, "%s: %s\n", p.Name, PrintableLines(fmt.Sprintf(format, args...)))
}

// helpFor names the command that was meant.
func (p *Program) helpFor(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil && parse.Context.Selected() != nil {
		return p.Name + " " + parse.Context.Selected().Path()
	}
	return p.Name
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

// Problems makes a collection for mistakes in the settings.
func (p *Program) Problems() *config.Problems { return config.NewProblems(p.variables, p.Vocabulary) }
