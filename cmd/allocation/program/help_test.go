package program_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"allocation/cmd/allocation/program"
	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/service"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

func TestHelp_everySubcommandHasAnExample(t *testing.T) {
	t.Parallel()
	parser := program.New(nil, nil, nil, service.Hooks{}).Parser()
	leaves := parser.Model.Leaves(true)
	require.Greater(t, len(leaves), 20)
	for _, leaf := range leaves {
		path := leaf.Path()
		help := programtest.Run(t, append(strings.Fields(path), "--help")...).RequireDone(t)
		require.Contains(t, help, "\nExample", path)
		require.Regexp(t, "\n    .*allocation "+path+"\\b", help)
		require.Equal(t, help, programtest.Run(t, append([]string{"help"}, strings.Fields(path)...)...).RequireDone(t))
	}
}

// What the environment holds sets where servers are, and no more: no flag that acts or filters has
// a variable, in any subcommand.
func TestHelp_onlySettingsHaveAVariable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	err := kong.Visit(program.New(nil, nil, nil, service.Hooks{}).Parser().Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && len(flag.Envs) > 0 {
			require.Equal(t, []string{strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))}, flag.Envs)
			seen[flag.Envs[0]] = true
		}
		return next(nil)
	})
	require.NoError(t, err)
	require.ElementsMatch(t, slices.AppendSeq([]string{"WORKER_ROLE", "OPERATOR_ROLE"}, maps.Keys(processFlags(t))), slices.Collect(maps.Keys(seen)))
}

func TestProgram_wrongUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		says string
		args []string
	}{
		{"unexpected argument frob", []string{"frob"}},
		{"unknown flag --frob", []string{"worker", "--frob"}},
		{`expected "<id>"`, []string{"show", "order"}},
		{"missing flags: --to", []string{"migrate", "down"}},
		{"send needs a TYPE", []string{"send"}},
		{"not both", []string{"send", "Allocate", "-f", "x"}},
		{`there is no command "Alocate"`, []string{"send", "Alocate"}},
		{`no field "fqty"; it has orderid, sku, qty, lineid`, []string{"send", "Allocate", "fqty=3"}},
		{"qty is there twice", []string{"send", "Allocate", "qty=3", "qty=4"}},
		{`"sku" is not key=value`, []string{"send", "Allocate", "sku"}},
		{`the field "qty" is "x"; it must be an integer from 1 to 1000000000`, []string{"send", "Allocate", "orderid=o", "sku=s", "qty=x"}},
		{`--type is "Alocated"`, []string{"tail", "--type", "Allocated,Alocated"}},
		{`"3.1042" is no dead letter's ID; it must be <topic>.<partition>.<offset>`, []string{"dlq", "show", "3.1042"}},
		{"give the IDs of dead letters, or a filter", []string{"dlq", "retry"}},
		{"not both", []string{"dlq", "discard", "c.0.1", "--sku", "CHAIR"}},
		{`--since is "yesterday"; it must be a time such as`, []string{"dlq", "list", "--since", "yesterday"}},
		{`--reason is "odd"; it must be one of malformed`, []string{"dlq", "retry", "--reason", "odd"}},
		{`--state is "shut"; it must be one of open`, []string{"dlq", "list", "--state", "open,shut"}},
		{`--partitions is "none"`, []string{"topics", "create", "--partitions", "none"}},
	} {
		o := programtest.Run(t, c.args...)
		o.RequireMisuse(t, c.says)
		require.Empty(t, o.Out)
	}
}

func TestProgram_nobodyAnswers(t *testing.T) {
	for _, args := range [][]string{{"tail"}, {"send", "Deallocate", "orderid=o", "sku=s"}, {"topics", "create"}} {
		programtest.Run(t, append(args, "--kafka-brokers=127.0.0.1:1")...).RequireFailed(t, "Kafka does not answer at 127.0.0.1:1")
	}
	t.Setenv("DATABASE_URL", "postgres://somebody:secret@127.0.0.1:1/none")
	for _, args := range [][]string{{"show", "order", "o1"}, {"migrate", "up"}} {
		o := programtest.Run(t, args...)
		o.RequireFailed(t, "Postgres does not answer at 127.0.0.1:1")
		require.NotContains(t, o.Err, "secret")
	}
}
