package dlq_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// A product that waits for a newer worker is said to, and until when: nobody has to decide.
func TestDLQ_tellsWhatWaitsForANewerWorker(t *testing.T) {
	t.Parallel()
	s := programtest.NewService(t)
	s.Wait = "1h"
	s.SetUp("1")
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Produce(&kgo.Record{
		Key: []byte("CHAIR"), Value: []byte(`{"batchref":"b1","qty":{"pieces":7}}`),
		Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v2.ChangeBatchQuantity")}, {Key: "ce_id", Value: []byte("new")}},
	})
	letter := s.AwaitLetters(1, "--reason=newer_version")[0]
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=2", "--id=waits")
	s.Send("CreateBatch", "ref=b2", "sku=TABLE", "qty=50")
	testbed.Eventually(t, func() bool { return s.AwaitLetters(1)[0].Waiting == 1 })
	testbed.Eventually(t, func() bool { return strings.Contains(s.Get("/metrics"), "\nallocation_newer_keys 1\n") })
	metrics := s.Get("/metrics")
	require.Contains(t, metrics, "\nallocation_held_keys 0\n")
	require.NotContains(t, metrics, "allocation_refusals_total{")

	const until = `waits for a newer worker until \S+ \S+Z`
	run := func(args ...string) string { return programtest.Run(t, args...).RequireDone(t) }
	require.Regexp(t, `newer_version +allocation\.v2\.ChangeBatchQuantity +CHAIR .*`+until, s.DLQ("list").RequireDone(t))
	require.Regexp(t, `(?m)^state +`+until+`$`, s.DLQ("show", letter.ID.String()).RequireDone(t))
	require.Contains(t, s.DLQ("list", "--json").RequireDone(t), `"waits_until":`)
	require.Regexp(t, `product CHAIR is held since .* \(`+until+`\): 1 later command waits`, run("show", "product", "CHAIR"))
	require.Regexp(t, `would wait behind .* \(`+until+`\)`, run("try", "Allocate", "orderid=o2", "sku=CHAIR", "qty=1"))
	explain := func(args ...string) string {
		return run(append(append([]string{"explain"}, args...), "--kafka-brokers="+testbed.Kafka(t))...)
	}
	require.Regexp(t, `product CHAIR is held since .* \(`+until+`\)`, explain("product", "CHAIR"))
	require.Regexp(t, `(?m)^held .*because CHAIR is held by .* \(`+until+`\), and 0 commands wait`, explain("command", "waits"))
	require.Regexp(t, `(?m)^held .*its type: it `+until, explain("command", "new"))
	require.NotContains(t, explain("command", "new")+explain("product", "CHAIR"), "dlq retry", "nobody need decide")
	status := run("status", "--kafka-brokers="+testbed.Kafka(t))
	require.Regexp(t, `(?m)^held +0 products$`, status)
	require.Regexp(t, `(?m)^newer +1 product held for a newer worker, the oldest since `, status)
	require.Regexp(t, `(?m)^dead letters +0 open;`, status)
	s.DLQ("retry", "--sku=CHAIR").RequireFailed(t, "no open dead letters match")
	run("verify")

	s.Execute(`update held_keys set waits_until = now()`)
	require.Equal(t, "unknown_type", s.AwaitLetters(1, "--reason=unknown_type")[0].Reason)
	testbed.Eventually(t, func() bool { return strings.Contains(s.Get("/metrics"), "\nallocation_newer_keys 0\n") })
	require.NotContains(t, run("show", "product", "CHAIR"), "held")
	require.Contains(t, run("show", "order", "o1"), "allocated")
	run("verify")
}

// An operator need not wait: a command that is retried is refused by a worker that does not know
// its type, and what waits goes on.
func TestDLQ_endsTheWaitForANewerWorker(t *testing.T) {
	t.Parallel()
	s := programtest.NewService(t)
	s.Wait = "1h"
	s.SetUp("1")
	s.Produce(&kgo.Record{Value: []byte(`{"ref":"b1","sku":"CHAIR"}`), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v2.CreateBatch")}}})
	id := s.AwaitLetters(1)[0].ID.String()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	testbed.Eventually(t, func() bool { return s.AwaitLetters(1)[0].Waiting == 1 })
	s.DLQ("retry", id).RequireFailed(t, "refused again, unknown_type: ")
	testbed.Eventually(t, func() bool {
		return strings.Contains(programtest.Run(t, "show", "batch", "b1").RequireDone(t), "CHAIR")
	})
}
