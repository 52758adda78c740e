package explain

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// Where the words do not say what an event is, its type does.
func TestPrintEvents_namesTypes(t *testing.T) {
	t.Parallel()
	words := Words{
		Types: true,
		What:  func(*store.EventView) string { return "order carol.1: because of: customer" },
		Why:   func(*store.EventView) []string { return nil },
	}
	var out bytes.Buffer
	events := []store.EventView{{Type: "OrderCancelled", Sequence: 3, Published: true}}
	require.NoError(t, PrintEvents(&cli.Program{Out: &out}, words, events))
	require.Equal(t, "    #3 OrderCancelled order carol.1: because of: customer\n", out.String())
}
