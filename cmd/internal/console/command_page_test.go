package console_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/console"
	"allocation/deploy/testbed"
)

func TestCommandPage_findsCommandsByAnyName(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", "--id=made", "--correlation-id=shop-9")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=placed", "--correlation-id=shop-9")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=again")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=21", "--id=refused", "--correlation-id=shop-9")
	s.AwaitAtRest(4)
	c := openSite(t, s, testbed.Kafka(t))
	c.shows(c.ask(200, "/command"), "A command is found by any of these")

	testbed.Eventually(t, func() bool {
		return strings.Contains(c.ask(200, "/command", "id", "placed"), "the group&#39;s offset is 4")
	})
	c.shows(c.ask(200, "/command", "id", "placed"), "placed is the id of 1 command", "order o1 gets 20 of batch b1",
		"batch b1 is the first in preference", "<code>ce_correlationid</code>", "&#34;orderid&#34;: &#34;o1&#34;", "allocation explain command placed --since=1h")
	placed := twin[console.CommandPage](c, "/command", "id", "placed")
	require.Equal(t, "Allocate", placed.Command.Type)
	require.Len(t, placed.Command.Stamps, 6)
	require.Contains(t, *placed.Record.Value.Text, `"orderid":"o1"`)
	position := placed.Command.ID.String()
	byPosition := twin[console.CommandPage](c, "/command", "id", position)
	require.Equal(t, position+" is the position of a command: its topic, partition and offset", byPosition.Understood)
	require.Equal(t, placed.Command, byPosition.Command)

	c.shows(c.ask(200, "/command", "id", "shop-9"), `<th scope="col">Produced</th>`)
	all := twin[console.CommandPage](c, "/command", "id", "shop-9")
	require.Equal(t, "shop-9 is the correlation of 3 commands", all.Understood)
	require.Len(t, all.Commands, 3)
	for i, want := range []string{"CreateBatch applied ", "Allocate applied ", "Allocate refused line_conflict"} {
		require.Equal(t, want, all.Commands[i].Type+" "+all.Commands[i].Outcome+" "+all.Commands[i].Reason)
	}
	require.True(t, twin[console.CommandPage](c, "/command", "id", "shop-9", "limit", "2").More)
	c.shows(c.ask(200, "/command", "id", "refused"), ">line_conflict</span>", "/letter?id="+strings.TrimSuffix(position, ".1")+".3", "allocation dlq retry ")

	c.shows(c.ask(404, "/command", "id", "again"), "/command?from_topic=1&amp;id=again")
	c.shows(c.ask(200, "/command", "id", "again", "from_topic", "1"), "without effect: it changed nothing, and was not refused")
	c.ask(404, "/command", "id", "again<", "from_topic", "1")
	require.NotContains(t, c.ask(404, "/command", "id", "nothing.3.7"), "is no position")
	for _, mistyped := range []string{".99", ".99.5", ".-1", ".0.x", ""} {
		c.shows(c.ask(404, "/command", "id", s.Names.Commands+mistyped), s.Names.Commands+mistyped+"&#34; is no position: the topic "+s.Names.Commands+" has 3 partitions, from 0 to 2",
			"/partitions?topic="+s.Names.Commands)
	}
	c.shows(c.ask(400, "/command", "id", "x", "since", "soon", "from_topic", "yes"), "since is &#34;soon&#34;", "from_topic is &#34;yes&#34;; it must be one of 0, 1")
	partition := strings.TrimSuffix(position, ".1")
	c.shows(c.ask(200, "/command", "id", partition), partition+" is a partition, and this the position of its next command",
		"there is no command "+partition+".4 yet: the partition ends at offset 4, and all before that was read")
	require.NotContains(t, c.ask(200, "/command", "id", partition), "not reached")
	c.shows(c.ask(200, "/command", "id", partition+".5"), "not reached", "not yet: the partition ends at offset 4", "not yet, because 1 record comes before it")
}

// A record is read from the middle of a packed batch, and one that is gone is said to be so.
func TestCommandPage_readsRecordsInBatches(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	client := testbed.Client(t, testbed.Kafka(t), kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	var records []*kgo.Record
	for _, ref := range []string{"b1", "b2", "b3"} {
		records = append(records, &kgo.Record{Topic: s.Names.Commands, Key: []byte("CHAIR"), Value: []byte(`{"ref":"` + ref + `","sku":"CHAIR","qty":5}`), Headers: []kgo.RecordHeader{
			{Key: "ce_type", Value: []byte("allocation.v1.CreateBatch")},
		}})
	}
	require.NoError(t, client.ProduceSync(t.Context(), records...).FirstErr())
	s.AwaitAtRest(3)
	c := openSite(t, s, testbed.Kafka(t))
	read := twin[console.CommandPage](c, "/command", "id", s.Names.Commands+".0.1")
	require.Contains(t, *read.Record.Value.Text, `"ref":"b2"`)
	s.DeleteBefore(0, 2)
	read = twin[console.CommandPage](c, "/command", "id", s.Names.Commands+".0.1")
	require.Nil(t, read.Record)
	require.Contains(t, read.Command.Stamps[0].Says, "the record is no longer in Kafka")
	require.NotEmpty(t, read.Command.Applied[0].Events)
}

// Without Kafka, pages show what the database knows: where nobody listens, where nobody answers,
// and where answers stop coming. A page that waited longer than it may be read would be no page.
func TestPages_withoutKafka(t *testing.T) {
	t.Parallel()
	server := testbed.StartKafka(t)
	s := programtest.NewService(t)
	s.Names.Brokers = server.Brokers()
	s.SetUp("3")
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", "--id=made")
	s.AwaitAtRest(1)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	connected := openSite(t, s, server.Brokers())
	require.Empty(t, twin[console.PartitionsPage](connected, "/partitions").Kafka)
	server.Freeze()
	defer server.Thaw()
	for _, c := range []site{openSite(t, s, "127.0.0.1:1"), openSite(t, s, silent.Addr().String()), connected} {
		began := time.Now()
		command := twin[console.CommandPage](c, "/command", "id", "made")
		t.Logf("a command after %s", time.Since(began))
		require.Nil(t, command.Record)
		require.Contains(t, command.Command.Stamps[0].Says, "Kafka was not asked: ")
		require.Len(t, command.Command.Applied[0].Events, 1)
		c.shows(c.ask(200, "/partitions"), "Kafka does not tell where logs end", ">unknown</span>")
		began = time.Now()
		page := twin[console.PartitionsPage](c, "/partitions")
		t.Logf("partitions after %s", time.Since(began))
		require.NotEmpty(t, page.Kafka)
		require.Len(t, page.Partitions, 3)
		c.shows(c.ask(503, "/command", "id", "nothing", "from_topic", "1"), "The topics of commands were not read")
		c.shows(c.ask(200, "/"), "lag and quarantine are not known")
	}
}
