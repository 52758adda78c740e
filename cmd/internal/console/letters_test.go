package console_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/console"
	"allocation/deploy/testbed"
)

func TestLetters_groupsListAndOne(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	c := openSite(t, s, testbed.Kafka(t))
	c.shows(c.ask(200, "/letters"), "There are none that wait for anybody")
	for _, order := range []string{"orderid=x1", "orderid=x2", "orderid=x3"} {
		s.Send("Deallocate", order, "sku=LAMP")
	}
	s.Send("ChangeBatchEta", "batchref=b7", "eta=2030-01-01", "sku=DESK")
	letters := s.AwaitLetters(4)
	id := letters[0].ID.String()

	page := twin[console.LettersPage](c, "/letters")
	require.Len(t, page.Letters, 4)
	require.Equal(t, "unknown_line open", page.Groups[0].Reason+" "+page.Groups[0].State)
	require.EqualValues(t, 3, page.Groups[0].Count)
	require.False(t, page.Incomplete)
	require.Contains(t, c.ask(200, "/api/v1/letters"), `"sku":"LAMP"`)
	first := twin[console.LettersPage](c, "/letters", "reason", "unknown_line", "limit", "2")
	require.Len(t, first.Letters, 2)
	second := twin[console.LettersPage](c, "/letters", "reason", "unknown_line", "limit", "2", "after", first.Next.String())
	require.Len(t, second.Letters, 1)
	require.Empty(t, second.Next)
	require.Equal(t, letters[3].ID, twin[console.LettersPage](c, "/letters", "newest", "1").Letters[0].ID)
	require.Len(t, twin[console.LettersPage](c, "/letters", "sku", "DESK", "topic", s.Names.Commands).Letters, 1)
	require.Empty(t, twin[console.LettersPage](c, "/letters", "topic", "another").Letters)
	c.shows(c.ask(200, "/letters", "reason", "unknown_line"), `/letter?id=`+strings.ReplaceAll(id, ":", "%3A"), "allocation dlq list --reason=unknown_line")
	c.shows(c.ask(400, "/letters", "state", "lost", "reason", "bad", "partition", "x", "after", "here"),
		"state is &#34;lost&#34;", "reason is &#34;bad&#34;", "partition is &#34;x&#34;", "after is &#34;here&#34;; it must be the next of another answer")

	s.DLQ("discard", id).RequireDone(t)
	require.Len(t, twin[console.LettersPage](c, "/letters", "state", "discarded").Letters, 1)
	require.Len(t, twin[console.LettersPage](c, "/letters", "state", "all").Letters, 4)
	c.shows(c.ask(200, "/letter", "id", id), "unknown_line", "<dt>Produced</dt>", "was never placed", "allocation dlq show "+id, "has it applied after all")
	c.shows(c.ask(404, "/letter", "id", s.Names.Commands+".0.77"), "there is no dead letter "+s.Names.Commands+".0.77")
	c.shows(c.ask(400, "/letter"), "id is not set")
	c.shows(c.ask(400, "/letter", "id", "x"), "the topic, partition and offset of its command")
}

func TestLetter_showsWhatItHolds(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Poison()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=poison", "sku=CHAIR", "qty=1", "--id=<b>fails")
	id := s.AwaitLetters(1, "--reason=internal")[0].ID.String()
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=2", "--id=waits")
	testbed.Eventually(t, func() bool { return s.AwaitLetters(1)[0].Waiting == 1 })
	c := openSite(t, s, testbed.Kafka(t))
	page := c.ask(200, "/letter", "id", id)
	c.shows(page, "1 command waits", ">waits</span>", "&lt;b&gt;fails", "allocation dlq discard "+id, "and then what waits behind it")
	require.NotContains(t, page, "<b>fails")
	held := twin[console.LetterPage](c, "/letter", "id", id)
	require.Equal(t, "Allocate", held.Behind[0].Type)
	require.Contains(t, c.ask(200, "/api/v1/letter", "id", id), `"holds":"CHAIR"`)
	c.shows(c.ask(200, "/command", "id", "waits"), "is held by the dead letter", "0 commands are before it", ">held</b>")
	c.shows(c.ask(200, "/letters"), ">1</a>")

	masked := openSite(t, s, testbed.Kafka(t), func(o *console.Options) { o.Payloads = console.PayloadsMasked })
	for _, page := range []string{masked.ask(200, "/letter", "id", id), masked.ask(200, "/api/v1/letter", "id", id), masked.ask(200, "/api/v1/command", "id", id)} {
		require.Contains(t, page, "xxxxxx")
		require.NotContains(t, page, "poison", "the content of the message")
		require.NotContains(t, page, "eyJ", "it is not there in base64 either")
	}

	s.DLQ("retry", id).RequireFailed(t, "failed again")
	c.shows(c.ask(200, "/letter", "id", id), "allocation dlq retry --force "+id, "Other dead letters of this command", "<dd>once</dd>")
}
