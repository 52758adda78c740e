package main

import (
	"strings"
	"testing"

	"allocation/cmd/internal/cli"

	"github.com/stretchr/testify/require"
)

// Orders, products and batches whose names look like others, as far as a terminal shows them.
func TestProgram_printsNoNameThatLooksLikeAnother(t *testing.T) {
	s := startService(t)
	const order, sku, batch = "o\u202e1", "CHAIR\u200b", "b\u2066\U000E0041"
	s.send("CreateBatch", "ref="+batch, "sku="+sku, "qty=5")
	s.send("Allocate", "orderid="+order, "sku="+sku, "qty=1")
	s.send("Allocate", "orderid="+order, "sku="+sku, "qty=2")
	refused := s.awaitLetters(1)[0].ID.String()
	printed := map[string]string{"tail": strings.Join(s.tail(3), "\n"), "tail --json": strings.Join(s.tail(3, "--json"), "\n")}
	for _, show := range [][]string{{"order", order}, {"product", sku}, {"batch", batch}} {
		printed["show "+show[0]] = runProgram(t, "show", show[0], show[1]).requireDone(t)
		printed["show "+show[0]+" --json"] = runProgram(t, "show", show[0], show[1], "--json").requireDone(t)
		printed["no "+show[0]] = runProgram(t, "show", show[0], show[1]+"2").err
	}
	for _, dlq := range [][]string{{"list"}, {"list", "--json"}, {"show", refused}, {"show", refused, "--json"}, {"discard", refused}} {
		printed["dlq "+strings.Join(dlq, " ")] = s.dlq(dlq...).requireDone(t)
	}
	for what, text := range printed {
		require.NotEmpty(t, text, what)
		require.Equal(t, cli.PrintableLines(text), text, what)
	}
	require.Contains(t, printed["tail"], "order o\uFFFD1 gets 1 of batch b\uFFFD\uFFFD")
	require.Contains(t, printed["tail --json"], `o\u202e1`)
}
