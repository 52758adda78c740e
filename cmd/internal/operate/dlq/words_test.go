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

// A service may have something to say of what is discarded, before and when it is.
func TestDiscard_warnsOfWhatTheServiceKnows(t *testing.T) {
	var out bytes.Buffer
	p := &cli.Program{
		Name: "counters", Out: &out, Vocabulary: config.Vocabulary{Key: "name", Entity: "counter"},
		Discarded: func(l *store.Letter) string {
			if l.Type == "Moved" {
				return "the counter stays where it was"
			}
			return ""
		},
	}
	moved := store.Letter{Type: "Moved", State: store.LetterOpen}
	decided := &store.Decided{Letters: []store.Letter{moved, {Type: "Add"}, moved}}
	for _, asJSON := range []bool{false, true} {
		for decision, times := range map[*store.Decision]int{{Discard: true, DryRun: true}: 1, {Discard: true}: 1, {}: 0} {
			out.Reset()
			require.NoError(t, printDecisions(p, newDecisions(p, decision, decided), asJSON))
			require.Equal(t, times, strings.Count(out.String(), "the counter stays where it was"), out.String())
		}
	}
	for state, says := range map[string]bool{store.LetterOpen: true, store.LetterDiscarded: false} {
		out.Reset()
		moved.State = state
		require.NoError(t, printLetter(p, &Letter{Letter: moved}))
		require.Equal(t, says, strings.Contains(out.String(), "discard   the counter stays where it was\n"), out.String())
	}
	p.Discarded = nil
	require.Empty(t, newDecisions(p, &store.Decision{Discard: true}, decided).Warnings)
}
