package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/dlq"
	"allocation/deploy/testbed"
	"allocation/store"
)

func (s *Service) query(sql string) {
	s.t.Helper()
	url, err := config.Database{}.URL()
	require.NoError(s.t, err)
	conn, err := pgx.Connect(s.t.Context(), url)
	require.NoError(s.t, err)
	defer conn.Close(s.t.Context())
	_, err = conn.Exec(s.t.Context(), sql)
	require.NoError(s.t, err)
}

func (s *Service) dlq(args ...string) outcome {
	return runProgram(s.t, append([]string{"dlq"}, args...)...)
}

// awaitLetters waits until a list has so many dead letters.
func (s *Service) awaitLetters(want int, filter ...string) []store.Letter {
	s.t.Helper()
	var list store.LetterList
	require.Eventually(s.t, func() bool {
		list = store.LetterList{}
		require.NoError(s.t, json.Unmarshal([]byte(s.dlq(append([]string{"list", "--json"}, filter...)...).requireDone(s.t)), &list))
		return len(list.Letters) == want
	}, 30*time.Second, 20*time.Millisecond, "%d dead letters", want)
	return list.Letters
}

// produce sends a record as it is.
func (s *Service) produce(r *kgo.Record) {
	s.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(testbed.Kafka(s.t)))
	require.NoError(s.t, err)
	defer client.Close()
	r.Topic = s.names.commands
	require.NoError(s.t, client.ProduceSync(s.t.Context(), r).FirstErr())
}

func requireOutcome(t *testing.T, o outcome, code int, says string) {
	t.Helper()
	require.Equal(t, code, o.code, "%s%s", o.out, o.err)
	require.Contains(t, o.out+o.err, says)
}

func TestDLQ_retriesWhatWasEarly(t *testing.T) {
	s := startService(t)
	s.send("ChangeBatchEta", "batchref=b1", "eta=2030-01-01", "sku=CHAIR")
	id := s.awaitLetters(1)[0].ID.String()
	require.Regexp(t, `^`+s.names.commands+`\.\d\.0$`, id)
	requireOutcome(t, s.dlq("retry", id, "--dry-run"), cli.ExitDone, "1 would be decided, and nothing was")
	requireOutcome(t, s.dlq("retry", id), cli.ExitFailed, "refused again, unknown_batch: ")
	requireOutcome(t, s.dlq("list"), cli.ExitDone, "open (retried once before)")
	requireOutcome(t, s.dlq("retry", "--sku=CHAIR"), cli.ExitFailed, "refused again, unknown_batch: ")
	requireOutcome(t, s.dlq("list", "--state=all"), cli.ExitDone, "open (retried 2 times before)")
	require.Len(t, s.awaitLetters(1, "--state=all"), 1, "one dead letter, with a count of its retries")

	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.tail(1)
	requireOutcome(t, s.dlq("retry", id), cli.ExitDone, "1 applied")
	require.Contains(t, s.tail(2)[1], "BatchEtaChanged")
	requireOutcome(t, s.dlq("list"), cli.ExitDone, "no dead letters")
	require.Len(t, s.awaitLetters(1, "--state=all"), 1)
	requireOutcome(t, s.dlq("show", id), cli.ExitDone, "other dead letters of this command")
	requireOutcome(t, s.dlq("discard", id), cli.ExitFailed, "its command is applied")
	requireOutcome(t, s.dlq("retry", s.names.commands+".0.77"), cli.ExitFailed, "there is no dead letter "+s.names.commands+".0.77")
	requireOutcome(t, s.dlq("show", s.names.commands+".0.77"), cli.ExitFailed, "there is no dead letter")
}

func TestDLQ_showsAndDiscardsWhatCannotBeRead(t *testing.T) {
	s := startService(t)
	s.produce(&kgo.Record{Key: []byte("CHAIR"), Value: []byte("{\xff\x00"), Headers: []kgo.RecordHeader{
		{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}, {Key: "x", Value: nil}, {Key: "y", Value: []byte{0xfe}},
	}})
	s.produce(&kgo.Record{Value: []byte("{\n}"), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.Allocate")},
		{Key: "note", Value: []byte("ok\nstate     discarded\n\u202evalue")}}})
	letters := s.awaitLetters(2)
	show := s.dlq("show", letters[0].ID.String()).requireDone(t) + s.dlq("show", letters[1].ID.String()).requireDone(t)
	for _, says := range []string{
		"reason    malformed: ", "key       CHAIR\n", "key       (null)\n", "header    ce_type: allocation.v1.Allocate\n", "header    x: (null)\n",
		"header    y: (base64) /g==\n", "value     (base64) e/8A\n", "value     {\n          }\n", "header    note: ok\n          state     discarded\n          \uFFFDvalue\n",
	} {
		require.Contains(t, show, says)
	}
	for _, l := range letters {
		var shown dlq.Letter
		require.NoError(t, json.Unmarshal([]byte(s.dlq("show", l.ID.String(), "--json").requireDone(t)), &shown))
		require.Equal(t, l.ID, shown.ID)
		require.NotNil(t, shown.Value.Base64)
		require.Equal(t, *shown.Value.Base64 == "ewp9", shown.Value.Text != nil)
	}
	requireOutcome(t, s.dlq("discard", "--reason=malformed", "--since=1h", "--limit=1"), cli.ExitDone, "1 discarded; 1 more match")
	requireOutcome(t, s.dlq("discard", "--reason=malformed", "--until=2000-01-01T00:00:00Z"), cli.ExitFailed, "no open dead letters match")
	var done dlq.Decisions
	require.NoError(t, json.Unmarshal([]byte(s.dlq("discard", "--type=Allocate", "--json").requireDone(t)), &done))
	require.Equal(t, "discard", done.Decision)
	require.Len(t, done.Letters, 1)
	require.Equal(t, store.OutcomeDiscarded, done.Letters[0].Result)
	requireOutcome(t, s.dlq("list"), cli.ExitDone, "no dead letters")
}

// poison makes commands fail whose order is called so.
func (s *Service) poison() {
	s.query(`
create function poison() returns trigger language plpgsql as $$ begin if new.orderid like 'poison%' then raise exception 'odd'; end if; return new; end $$;
create trigger poison before insert on lines for each row execute function poison()`)
}

func TestDLQ_freesAHeldProduct(t *testing.T) {
	s := startService(t)
	s.poison()
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.send("Allocate", "orderid=o0", "sku=CHAIR", "qty=4")
	s.send("Allocate", "orderid=poison", "sku=CHAIR", "qty=1")
	letter := s.awaitLetters(1, "--reason=internal")[0]
	id := letter.ID.String()
	require.Equal(t, "CHAIR", letter.Holds)
	s.send("Allocate", "orderid=o1", "sku=CHAIR", "qty=2")
	s.send("Allocate", "orderid=o2", "sku=CHAIR", "qty=3")
	require.Eventually(t, func() bool { return s.awaitLetters(1)[0].Waiting == 2 }, 20*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(s.get("/metrics"), "\nallocation_held_keys 1\n") }, 20*time.Second, 20*time.Millisecond)
	for _, what := range []string{"product CHAIR", "batch b1", "order o0"} {
		out := runProgram(t, append([]string{"show"}, strings.Fields(what)...)...).requireDone(t)
		require.Regexp(t, `product CHAIR is held since .* by the dead letter `+regexp.QuoteMeta(id)+` \(open\): 2 later commands wait`, out)
	}
	requireOutcome(t, s.dlq("show", id), cli.ExitDone, "holds     CHAIR: 2 later commands wait")
	requireOutcome(t, s.dlq("retry", id), cli.ExitFailed, "failed again, and holds its product: ")
	requireOutcome(t, s.dlq("retry", id), cli.ExitFailed, id+" was retried before (1 times), and failed again: --force retries it once more")
	requireOutcome(t, s.dlq("retry", "--sku=CHAIR"), cli.ExitFailed, "1 left out that failed when they were retried before (--force retries them)")

	s.query(`drop trigger poison on lines`)
	requireOutcome(t, s.dlq("retry", id, "--force"), cli.ExitDone, "1 applied")
	require.Equal(t, []string{
		"CHAIR         1  BatchCreated          batch b1 of 50, in the warehouse",
		"CHAIR         2  Allocated             order o0 gets 4 of batch b1",
		"CHAIR         3  Allocated             order poison gets 1 of batch b1",
		"CHAIR         4  Allocated             order o1 gets 2 of batch b1",
		"CHAIR         5  Allocated             order o2 gets 3 of batch b1",
	}, withoutTimes(s.tail(5)))
	require.Eventually(t, func() bool { return strings.Contains(s.get("/metrics"), "\nallocation_held_keys 0\n") }, 20*time.Second, 20*time.Millisecond)
	require.NotContains(t, runProgram(t, "show", "product", "CHAIR").requireDone(t), "held")
}

// What was decided while no worker ran is done by the next one.
func TestDLQ_decisionsWaitForAWorker(t *testing.T) {
	s := startService(t)
	s.send("Allocate", "orderid=o1", "sku=CHAIR", "qty=1")
	id := s.awaitLetters(1)[0].ID.String()
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.tail(2)
	require.NoError(t, s.stop())
	requireOutcome(t, s.dlq("retry", id, "--wait=0s"), cli.ExitDone, "not done yet: a worker does it when it has the partition")
	requireOutcome(t, s.dlq("list"), cli.ExitDone, "retrying")
	s.start()
	s.awaitLetters(1, "--state=retried")
	require.Contains(t, s.tail(3)[2], "order o1 gets 1 of batch b1")
}
