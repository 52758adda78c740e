package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/store/products"
)

// An order is not unknown because none of its commands had an effect yet.
func TestShow_tellsOfCommandsThatWaitAndThatWereRefused(t *testing.T) {
	s := startService(t)
	s.poison()
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.send("Allocate", "orderid=poison", "sku=CHAIR", "qty=1")
	s.awaitLetters(1, "--reason=internal")
	s.send("Allocate", "orderid=o \"1\"", "sku=CHAIR", "qty=2", "lineid=l1")
	s.send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=5")
	s.send("Allocate", "orderid=o \"1\"", "sku=NONE", "qty=3")
	s.produce(&kgo.Record{Value: []byte(`{"orderid":"o \u00221\"","sku":"DESK","qty":0}`), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}}})
	s.produce(&kgo.Record{Value: []byte(`{"orderid":"other","sku":"o \"1\"","qty":0}`), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}}})
	s.awaitLetters(4)
	require.Eventually(t, func() bool { return s.awaitLetters(1, "--reason=internal")[0].Waiting == 2 }, 20*time.Second, 20*time.Millisecond)

	text := runProgram(t, "show", "order", `o "1"`).requireDone(t)
	require.Contains(t, text, "order o \"1\" has no lines\n")
	require.Regexp(t, `(?s)commands that wait behind a held product\nID .*Allocate +l1 +CHAIR .*Z  product CHAIR is held\n`, text)
	require.Regexp(t, `(?s)commands that were refused, or failed\nID .* NONE .*Z  unknown_sku \(open\): .* DESK .*Z  malformed \(open\): .*"qty" is 0`, text)
	require.Regexp(t, `product CHAIR is held since .*Z by the dead letter`, text)
	var order products.OrderView
	require.NoError(t, json.Unmarshal([]byte(runProgram(t, "show", "order", `o "1"`, "--json").requireDone(t)), &order))
	require.EqualValues(t, 1, order.WaitingTotal)
	require.EqualValues(t, 2, order.RefusedTotal)
	require.Contains(t, runProgram(t, "show", "order", "poison").requireDone(t), "internal (open)")
	require.Contains(t, runProgram(t, "show", "batch", "b2").requireDone(t), "there is no batch b2 yet: its command waits behind the held product CHAIR\n")
	requireOutcome(t, runProgram(t, "show", "order", "o"), cli.ExitFailed, `there is no order "o"`)
}

// What a list leaves out is counted, and --limit brings it.
func TestShow_listsAllWhereThatIsAsked(t *testing.T) {
	s := startService(t)
	const small = 120
	var lines strings.Builder
	fmt.Fprintf(&lines, "{\"type\":\"CreateBatch\",\"data\":{\"ref\":\"b1\",\"sku\":\"CHAIR\",\"qty\":%d}}\n", small)
	for i := range 2 * small {
		fmt.Fprintf(&lines, "{\"type\":\"Allocate\",\"data\":{\"orderid\":\"one\",\"sku\":\"CHAIR\",\"qty\":1,\"lineid\":\"%03d\"}}\n", i)
	}
	sendLines(t, s.names.commands, lines.String()).requireDone(t)
	s.awaitAtRest(2*small + 1)
	for _, what := range []string{"batch b1", "product CHAIR", "order one"} {
		args := append([]string{"show"}, strings.Fields(what)...)
		require.Contains(t, runProgram(t, args...).requireDone(t), " more\n")
		require.NotContains(t, runProgram(t, append(args, "--limit=1000")...).requireDone(t), " more\n")
	}
	var batch products.BatchView
	require.NoError(t, json.Unmarshal([]byte(runProgram(t, "show", "batch", "b1", "--limit=119", "--json").requireDone(t)), &batch))
	require.Len(t, batch.Lines, 119)
	require.EqualValues(t, small, batch.LinesTotal)
	var product products.ProductView
	require.NoError(t, json.Unmarshal([]byte(runProgram(t, "show", "product", "CHAIR", "--limit=1000", "--json").requireDone(t)), &product))
	require.Len(t, product.Waiting, small)
	var order products.OrderView
	require.NoError(t, json.Unmarshal([]byte(runProgram(t, "show", "order", "one", "--limit=10", "--json").requireDone(t)), &order))
	require.Len(t, order.Lines, 10)
	require.EqualValues(t, 2*small, order.LinesTotal)
}
