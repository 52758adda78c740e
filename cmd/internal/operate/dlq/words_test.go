package dlq

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
)

// Another service's words are in its flags, its texts and its JSON, and its data is as it was.
func TestWords_areTheServices(t *testing.T) {
	var out bytes.Buffer
	p := &cli.Program{
		Name: "counters", Grammar: &Command{}, Out: &out, Err: &out,
		Vocabulary: config.Vocabulary{Key: "name", Entity: "counter", Topic: "counts", Events: []string{"Added"},
			Examples: config.Examples{Key: "CUPS", Type: "Add"},
		},
	}
	for _, l := range []any{
		store.Letter{Key: "A", Message: `"letter_key":`}, store.Outcome{Result: store.OutcomeWaits, Key: "A"},
	} {
		require.NoError(t, p.PrintJSON(l))
	}
	require.Contains(t, out.String(), `"message":"\"letter_key\":","name":"A"`)
	require.Contains(t, out.String(), `{"result":"waits","counter":"A"}`)

	parser := p.Parser(kong.Exit(func(int) {}))
	_, err := parser.Parse([]string{"list", "--name=A"})
	require.NoError(t, err)
	require.Equal(t, "A", p.Grammar.(*Command).List.Key)
	out.Reset()
	_, _ = parser.Parse([]string{"list", "--help"})
	require.Contains(t, out.String(), "--name=NAME")
	require.Contains(t, out.String(), "Only commands of this counter.")
	require.Contains(t, out.String(), "\n    counters dlq list --state all --name CUPS --json")
	require.NotContains(t, strings.ToLower(out.String()), "sku")
	require.NotContains(t, out.String(), "allocation")
	require.NotContains(t, out.String(), "${")
}
