package show_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
	"allocation/store/products"
)

// An order is not unknown because none of its commands had an effect yet.
func TestShow_tellsOfCommandsThatWaitAndThatWereRefused(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Poison()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=poison", "sku=CHAIR", "qty=1")
	s.AwaitLetters(1, "--reason=internal")
	s.Send("Allocate", "orderid=o \"1\"", "sku=CHAIR", "qty=2", "lineid=l1")
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=5")
	s.Send("Allocate", "orderid=o \"1\"", "sku=NONE", "qty=3")
	s.AwaitLetters(2) // the next one may come by another partition
	s.Produce(&kgo.Record{Value: []byte(`{"orderid":"o \u00221\"","sku":"DESK","qty":0}`), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}}})
	s.Produce(&kgo.Record{Value: []byte(`{"orderid":"other","sku":"o \"1\"","qty":0}`), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}}})
	s.AwaitLetters(4)
	testbed.Eventually(t, func() bool { return s.AwaitLetters(1, "--reason=internal")[0].Waiting == 2 })

	text := programtest.Run(t, "show", "order", `o "1"`).RequireDone(t)
	require.Contains(t, text, "order o \"1\" has no lines\n")
	require.Regexp(t, `(?s)commands that wait behind a held product\nID .*Allocate +l1 +CHAIR .*Z  product CHAIR is held\n`, text)
	require.Regexp(t, `(?s)commands that were refused, or failed\nID .* NONE .*Z  unknown_sku \(open\): .* DESK .*Z  malformed \(open\): .*"qty" is 0`, text)
	require.Regexp(t, `product CHAIR is held since .*Z by the dead letter`, text)
	var order products.OrderView
	require.NoError(t, json.Unmarshal([]byte(programtest.Run(t, "show", "order", `o "1"`, "--json").RequireDone(t)), &order))
	require.EqualValues(t, 1, order.WaitingTotal)
	require.EqualValues(t, 2, order.RefusedTotal)
	require.Contains(t, programtest.Run(t, "show", "order", "poison").RequireDone(t), "internal (open)")
	require.Contains(t, programtest.Run(t, "show", "batch", "b2").RequireDone(t), "there is no batch b2 yet: its command waits behind the held product CHAIR\n")
	for _, kind := range []string{"order", "product", "batch"} {
		programtest.Run(t, "show", kind, "o").RequireFailed(t, "there is no "+kind+` "o"`)
	}
}

// What a list leaves out is counted, and --limit brings it.
func TestShow_listsAllWhereThatIsAsked(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	const small = 120
	var lines strings.Builder
	fmt.Fprintf(&lines, "{\"type\":\"CreateBatch\",\"data\":{\"ref\":\"b1\",\"sku\":\"CHAIR\",\"qty\":%d}}\n", small)
	for i := range 2 * small {
		fmt.Fprintf(&lines, "{\"type\":\"Allocate\",\"data\":{\"orderid\":\"one\",\"sku\":\"CHAIR\",\"qty\":1,\"lineid\":\"%03d\"}}\n", i)
	}
	programtest.SendLines(t, s.Names.Commands, lines.String()).RequireDone(t)
	s.AwaitAtRest(2*small + 1)
	for _, what := range []string{"batch b1", "product CHAIR", "order one"} {
		args := append([]string{"show"}, strings.Fields(what)...)
		require.Contains(t, programtest.Run(t, args...).RequireDone(t), " more\n")
		require.NotContains(t, programtest.Run(t, append(args, "--limit=1000")...).RequireDone(t), " more\n")
	}
	var batch products.BatchView
	require.NoError(t, json.Unmarshal([]byte(programtest.Run(t, "show", "batch", "b1", "--limit=119", "--json").RequireDone(t)), &batch))
	require.Len(t, batch.Lines, 119)
	require.EqualValues(t, small, batch.LinesTotal)
	var product products.ProductView
	require.NoError(t, json.Unmarshal([]byte(programtest.Run(t, "show", "product", "CHAIR", "--limit=1000", "--json").RequireDone(t)), &product))
	require.Len(t, product.Waiting, small)
	var order products.OrderView
	require.NoError(t, json.Unmarshal([]byte(programtest.Run(t, "show", "order", "one", "--limit=10", "--json").RequireDone(t)), &order))
	require.Len(t, order.Lines, 10)
	require.EqualValues(t, 2*small, order.LinesTotal)
}
