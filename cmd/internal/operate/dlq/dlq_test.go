package dlq_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/operate/dlq"
	"allocation/deploy/testbed"
	"allocation/store"
)

func TestDLQ_retriesWhatWasEarly(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("ChangeBatchEta", "batchref=b1", "eta=2030-01-01", "sku=CHAIR")
	id := s.AwaitLetters(1)[0].ID.String()
	require.Regexp(t, `^`+s.Names.Commands+`\.\d\.0$`, id)
	s.DLQ("retry", id, "--dry-run").RequireDone(t, "1 would be decided, and nothing was")
	s.DLQ("retry", id).RequireFailed(t, "refused again, unknown_batch: ")
	s.DLQ("list").RequireDone(t, "open (tried again once)")
	s.DLQ("retry", "--sku=CHAIR").RequireFailed(t, "refused again, unknown_batch: ")
	s.DLQ("list", "--state=all").RequireDone(t, "open (tried again 2 times)")
	require.Len(t, s.AwaitLetters(1, "--state=all"), 1, "one dead letter, with a count of its retries")
	require.Contains(t, s.DLQ("list", "--json").RequireDone(t), `"type":"ChangeBatchEta","sku":"CHAIR","state":`)
	require.Contains(t, s.DLQ("show", id, "--json").RequireDone(t), `"type":"ChangeBatchEta","sku":"CHAIR","state":`)

	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Tail(1)
	s.DLQ("retry", id).RequireDone(t, "1 applied")
	require.Contains(t, s.Tail(2)[1], "BatchEtaChanged")
	s.DLQ("list").RequireDone(t, "no dead letters")
	require.Len(t, s.AwaitLetters(1, "--state=all"), 1)
	s.DLQ("show", id).RequireDone(t, "other dead letters of this command", "\nproduced  20")
	s.DLQ("discard", id).RequireFailed(t, "its command is applied")
	s.DLQ("retry", s.Names.Commands+".0.77").RequireFailed(t, "there is no dead letter "+s.Names.Commands+".0.77")
	s.DLQ("show", s.Names.Commands+".0.77").RequireFailed(t, "there is no dead letter")

	// What is decided while no worker runs is done by the next one.
	s.Send("Allocate", "orderid=o1", "sku=DESK", "qty=1")
	id = s.AwaitLetters(1)[0].ID.String()
	s.Send("CreateBatch", "ref=b2", "sku=DESK", "qty=50")
	s.Tail(1, "--type=BatchCreated", "--sku=DESK")
	require.NoError(t, s.Stop())
	s.DLQ("retry", id, "--wait=0s").RequireDone(t, "not done yet: a worker does it when it has the partition")
	s.DLQ("list").RequireDone(t, "retrying")
	s.Start()
	s.AwaitLetters(2, "--state=retried")
	require.Contains(t, s.Tail(1, "--type=Allocated")[0], "order o1 gets 1 of batch b2")
}

func TestDLQ_showsAndDiscardsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Produce(&kgo.Record{Key: []byte("CHAIR"), Value: []byte("{\xff\x00"), Headers: []kgo.RecordHeader{
		{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}, {Key: "x", Value: nil}, {Key: "y", Value: []byte{0xfe}},
	}})
	s.AwaitLetters(1) // the next one may come by another partition
	s.Produce(&kgo.Record{Value: []byte("{\n}"), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.Allocate")},
		{Key: "note", Value: []byte("ok\nstate     discarded\n\u202evalue")}}})
	letters := s.AwaitLetters(2)
	show := s.DLQ("show", letters[0].ID.String()).RequireDone(t) + s.DLQ("show", letters[1].ID.String()).RequireDone(t)
	for _, says := range []string{
		"reason    malformed: ", "key       CHAIR\n", "key       (null)\n", "header    ce_type: allocation.v1.Allocate\n", "header    x: (null)\n",
		"header    y: (base64) /g==\n", "value     (base64) e/8A\n", "value     {\n          }\n", "header    note: ok\n          state     discarded\n          \uFFFDvalue\n",
	} {
		require.Contains(t, show, says)
	}
	for _, l := range letters {
		var shown dlq.Letter
		require.NoError(t, json.Unmarshal([]byte(s.DLQ("show", l.ID.String(), "--json").RequireDone(t)), &shown))
		require.Equal(t, l.ID, shown.ID)
		require.NotNil(t, shown.Value.Base64)
		require.Equal(t, *shown.Value.Base64 == "ewp9", shown.Value.Text != nil)
	}
	list := s.DLQ("list", "--sku=CHAIR").RequireDone(t, letters[0].ID.String())
	require.NotContains(t, list, letters[1].ID.String(), "it has no key")
	s.DLQ("discard", "--reason=malformed", "--since=1h", "--limit=1").RequireDone(t, "1 discarded; 1 more match")
	s.DLQ("discard", "--reason=malformed", "--until=2000-01-01T00:00:00Z").RequireFailed(t, "no open dead letters match")
	var done dlq.Decisions
	require.NoError(t, json.Unmarshal([]byte(s.DLQ("discard", "--type=Allocate", "--json").RequireDone(t)), &done))
	require.Equal(t, "discard", done.Decision)
	require.Len(t, done.Letters, 1)
	require.Equal(t, store.OutcomeDiscarded, done.Letters[0].Result)
	s.DLQ("list").RequireDone(t, "no dead letters")
}

func TestDLQ_freesAHeldProduct(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Poison()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=o0", "sku=CHAIR", "qty=4")
	s.Send("Allocate", "orderid=poison", "sku=CHAIR", "qty=1")
	letter := s.AwaitLetters(1, "--reason=internal")[0]
	id := letter.ID.String()
	require.Equal(t, "CHAIR", letter.Holds)
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=2")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=3")
	testbed.Eventually(t, func() bool { return s.AwaitLetters(1)[0].Waiting == 2 })
	testbed.Eventually(t, func() bool { return strings.Contains(s.Get("/metrics"), "\nallocation_held_keys 1\n") })
	for _, what := range []string{"product CHAIR", "batch b1", "order o0"} {
		out := programtest.Run(t, append([]string{"show"}, strings.Fields(what)...)...).RequireDone(t)
		require.Regexp(t, `product CHAIR is held since .* by the dead letter `+regexp.QuoteMeta(id)+` \(open\): 2 later commands wait`, out)
	}
	s.DLQ("show", id).RequireDone(t, "holds     CHAIR: 2 later commands wait")
	s.DLQ("retry", id).RequireFailed(t, "failed again, and holds its product: ")
	s.DLQ("retry", id).RequireFailed(t, id+" was retried before (1 times), and failed again: --force retries it once more")
	s.DLQ("retry", "--sku=CHAIR").RequireFailed(t, "1 left out that failed when they were retried before (--force retries them)")

	s.Execute(`drop trigger poison on lines`)
	s.DLQ("retry", id, "--force").RequireDone(t, "1 applied")
	require.Equal(t, []string{
		"CHAIR         1  BatchCreated          batch b1 of 50, in the warehouse",
		"CHAIR         2  Allocated             order o0 gets 4 of batch b1",
		"CHAIR         3  Allocated             order poison gets 1 of batch b1",
		"CHAIR         4  Allocated             order o1 gets 2 of batch b1",
		"CHAIR         5  Allocated             order o2 gets 3 of batch b1",
	}, programtest.WithoutTimes(s.Tail(5)))
	testbed.Eventually(t, func() bool { return strings.Contains(s.Get("/metrics"), "\nallocation_held_keys 0\n") })
	require.NotContains(t, programtest.Run(t, "show", "product", "CHAIR").RequireDone(t), "held")
}
