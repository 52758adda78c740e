package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a terminal acts on, or nobody sees, is replaced where people read, and escaped where
// programs do.
func TestPrintable_showsNothingThatConfuses(t *testing.T) {
	t.Parallel()
	for _, r := range "\u0007\u001b\u007f\u009b\u00ad\u034f\u061c\u115f\u180e\u200b\u200d\u200e\u2028\u2029\u202a\u202e\u2060\u2066\u2069\u3164\ufe0f\ufeff" +
		"\U000E0001\U000E0041\U000E0100" {
		text := "o" + string(r) + "1"
		require.Equal(t, "o\uFFFD1", printable(text), "%U", r)
		var out bytes.Buffer
		require.NoError(t, newJSONEncoder(&out).Encode(text))
		require.NotContains(t, out.String(), string(r), "%U", r)
		var back string
		require.NoError(t, json.Unmarshal(out.Bytes(), &back))
		require.Equal(t, text, back)
	}
	for _, text := range []string{"Stuhl, grün", "椅子", "كرسي", "😀", "e\u0301"} {
		require.Equal(t, text, printable(text))
	}
	require.Equal(t, "a\nb\uFFFD", printableLines("a\nb\x1b"))
}

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
		require.Less(t, strings.IndexFunc(text, escapes), 0, "%s: %q", what, text)
	}
	require.Contains(t, printed["tail"], "order o\uFFFD1 gets 1 of batch b\uFFFD\uFFFD")
	require.Contains(t, printed["tail --json"], `o\u202e1`)
}
