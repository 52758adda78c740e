package program_test

import (
	"strings"
	"testing"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"

	"github.com/stretchr/testify/require"
)

// Orders, products and batches whose names look like others, as far as a terminal shows them.
func TestProgram_printsNoNameThatLooksLikeAnother(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	const order, sku, batch = "o\u202e1", "CHAIR\u200b", "b\u2066\U000E0041"
	s.Send("CreateBatch", "ref="+batch, "sku="+sku, "qty=5")
	s.Send("Allocate", "orderid="+order, "sku="+sku, "qty=1")
	s.Send("Allocate", "orderid="+order, "sku="+sku, "qty=2")
	refused := s.AwaitLetters(1)[0].ID.String()
	printed := map[string]string{"tail": strings.Join(s.Tail(3), "\n"), "tail --json": strings.Join(s.Tail(3, "--json"), "\n")}
	for _, show := range [][]string{{"order", order}, {"product", sku}, {"batch", batch}} {
		printed["show "+show[0]] = programtest.Run(t, "show", show[0], show[1]).RequireDone(t)
		printed["show "+show[0]+" --json"] = programtest.Run(t, "show", show[0], show[1], "--json").RequireDone(t)
		printed["no "+show[0]] = programtest.Run(t, "show", show[0], show[1]+"2").Err
	}
	for _, dlq := range [][]string{{"list"}, {"list", "--json"}, {"show", refused}, {"show", refused, "--json"}, {"discard", refused}} {
		printed["dlq "+strings.Join(dlq, " ")] = s.DLQ(dlq...).RequireDone(t)
	}
	for what, text := range printed {
		require.NotEmpty(t, text, what)
		require.Equal(t, cli.PrintableLines(text), text, what)
	}
	require.Contains(t, printed["tail"], "order o\uFFFD1 gets 1 of batch b\uFFFD\uFFFD")
	require.Contains(t, printed["tail --json"], `o\u202e1`)
}
