package explain_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/program"
	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/explain"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
	"allocation/store"
	"allocation/store/products"
)

// explained runs explain with the service's servers.
func explained(t *testing.T, s *programtest.Service, args ...string) string {
	t.Helper()
	return programtest.Run(t, append(append([]string{"explain"}, args...), "--kafka-brokers="+s.Names.Server(t))...).RequireDone(t)
}

// positionOf is where the record of a command went, by its id.
func positionOf(t *testing.T, s *programtest.Service, id string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^command (\S+),`).FindStringSubmatch(explained(t, s, "command", id))
	require.NotNil(t, found)
	return found[1]
}

func TestExplain_aReallocation(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50", "eta=2030-01-01")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=20", "--id=cmd-4", "--correlation-id=shop-9")
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=25", "--id=count-1")
	s.AwaitAtRest(7)

	text := explained(t, s, "order", "o2")
	require.Contains(t, text, "20 of CHAIR: allocated to batch b2, due 2030-01-01\n")
	require.Regexp(t, `Z  Allocate  `+s.Names.Commands+`\.\d+\.3  \(id cmd-4, correlation shop-9, worker `, text)
	require.Contains(t, text, `
    #4 order o2 gets 20 of batch b1
        batch b1 is the first in preference that had 20 available
`)
	require.Contains(t, text, `
    #6 order o2 gives 20 back to batch b1: batch reduced
        batch b1 was set from 50 to 25, and the lines that were placed last leave first
    #7 order o2 gets 20 of batch b2
        batch b2 is the first in preference that had 20 available; before it come b1 (5, in the warehouse), which had too little; any other before it was full
`)
	require.Contains(t, explained(t, s, "o2"), "o2 is the name of an order\n\norder o2\n")
	text = explained(t, s, "b1")
	require.Contains(t, text, "b1 is the reference of a batch\n")
	require.Contains(t, text, "        it was 50 before\n        1 line left it, 1 line was allocated\n")
	require.Contains(t, explained(t, s, "product", "CHAIR"), "product CHAIR, version 7: 2 batches in use, 0 waiting lines\n")
	var order products.OrderStory
	require.NoError(t, json.Unmarshal([]byte(explained(t, s, "order", "o2", "--json")), &order))
	require.Len(t, order.Lines[0].Events, 3)

	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=60")
	s.AwaitAtRest(8)
	require.Contains(t, explained(t, s, "order", "o2"), "  now: batch b1 (in the warehouse) comes first in preference and has 40 available, but an allocated line never moves to better stock by itself\n")
	s.Send("Allocate", "orderid=o3", "sku=CHAIR", "qty=60")
	s.AwaitAtRest(9)
	text = explained(t, s, "order", "o3")
	require.Contains(t, text, "        a line is never split, and no batch had 60 available; the most was available on b1 (40, in the warehouse), b2 (30, due 2030-01-01)\n")
	require.Contains(t, text, "  now: it needs 60 in one batch; the most available are 40 on b1 (in the warehouse), 30 on b2 (due 2030-01-01)\n  now: no line that waits was placed before it\n")
	for _, kind := range []string{"order", "batch", "product", "command"} {
		programtest.Run(t, "explain", kind, "nope", "--kafka-brokers="+s.Names.Server(t)).RequireFailed(t, `"nope"`)
	}
}

// A command is found by its position, its id, its correlation and its events; each stamp is there.
func TestExplain_aCommand(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", "--id=made", "--correlation-id=shop-9")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=placed", "--correlation-id=shop-9")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=again")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=21", "--id=refused")
	s.AwaitAtRest(4)
	testbed.Eventually(t, func() bool {
		return strings.Contains(explained(t, s, "command", "refused"), "the group's offset is 4\n")
	})

	text := explained(t, s, "command", "placed")
	require.Contains(t, text, "placed is the id of 1 command\none that had no effect, or was not read yet, is only in its topic: say --from-topic to look there\n\n")
	require.Regexp(t, `command `+s.Names.Commands+`\.\d+\.1, type Allocate, id placed, correlation shop-9\n`, text)
	require.Regexp(t, `(?m)^produced +20\S+ \S+Z  with the key CHAIR, 39 bytes$`, text)
	require.Regexp(t, `(?m)^read +the position is 4$`, text)
	require.Regexp(t, `(?m)^applied +1 event$`, text)
	require.Regexp(t, `(?m)^committed  20\S+ \S+Z  by \S+, claim 1$`, text)
	require.Regexp(t, `(?m)^published +Kafka acknowledged 1 record$`, text)
	require.Regexp(t, `(?m)^reported +the group's offset is 4$`, text)
	require.Contains(t, text, "    #2 order o1 gets 20 of batch b1\n")

	text = explained(t, s, "command", "shop-9")
	require.Contains(t, text, "shop-9 is the correlation of 2 commands\n")
	require.Contains(t, text, ", id made,")
	require.Contains(t, text, ", id placed,")
	require.Regexp(t, `(?m)^applied +without effect: it changed nothing, and was not refused$`, explained(t, s, "command", "again", "--from-topic"))
	programtest.Run(t, "explain", "again", "--kafka-brokers="+s.Names.Server(t)).RequireFailed(t, "one that had no effect, or was not read yet, is only in its topic: say --from-topic to look there")
	text = explained(t, s, "refused")
	require.Regexp(t, `(?m)^refused +20\S+ \S+Z  line_conflict: .* exists with the qty 20, not 21`, text)
	require.Regexp(t, `(?m)^published +Kafka acknowledged 2 records$`, text)

	position := positionOf(t, s, "placed")
	require.Equal(t, explained(t, s, "command", position), explained(t, s, position))
	var event struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(s.Tail(2, "--json")[1]), &event))
	require.Contains(t, explained(t, s, "command", event.ID), " is the id of an event of this command\n\ncommand "+position+",")
	var e explain.Explained
	require.NoError(t, json.Unmarshal([]byte(explained(t, s, "command", position, "--json")), &e))
	require.Len(t, e.Stamps, 6)

	partition := strings.TrimSuffix(position, ".1")
	idle := `there is no command ` + partition + `.4 yet: the partition ends at offset 4, and all before that was read; the position moved last at .*, under \S+\n$`
	require.Regexp(t, `^`+partition+` is a partition, and this the position of its next command\n\n`+idle, explained(t, s, partition))
	require.Regexp(t, `^`+idle, explained(t, s, "command", partition+".4"))
	empty := s.Names.Commands + ".0"
	if empty == partition {
		empty = s.Names.Commands + ".1"
	}
	require.Regexp(t, `there is no command `+empty+`\.0 yet: the partition has had none`, explained(t, s, empty))
	e = explain.Explained{}
	require.NoError(t, json.Unmarshal([]byte(explained(t, s, "command", partition+".4", "--json")), &e))
	require.Regexp(t, strings.TrimSuffix(idle, `\n$`), e.Idle)
	require.Empty(t, e.Stamps)
	require.Contains(t, explained(t, s, "command", partition+".9"), "not yet, because 5 records come before it")
}

// A flag goes to what the term is, and is refused where it is not for that.
func TestExplain_flagsOfATerm(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", "--id=made")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=again")
	s.AwaitAtRest(2)
	require.Contains(t, explained(t, s, "CHAIR", "--since=1h"), "CHAIR is the SKU of a product\n\nproduct CHAIR, version 2: ")
	require.Contains(t, explained(t, s, "o1", "--sku=CHAIR"), "20 of CHAIR: allocated to batch b1")
	require.Contains(t, explained(t, s, "again", "--since=2h", "--from-topic"), "again is the id of 1 command\n")
	for says, args := range map[string][]string{
		"--since is for a product or a command, and o1 is the name of an order":                                    {"o1", "--since=1h"},
		"--since is for a product or a command, and b1 is the reference of a batch":                                {"b1", "--since=1h"},
		"--from-topic is for a command, and CHAIR is the SKU of a product":                                         {"CHAIR", "--from-topic"},
		"--sku is for an order, and CHAIR is the SKU of a product":                                                 {"CHAIR", "--sku=CHAIR"},
		"--sku is for an order, and made is the name of no order, batch or product, so it was taken for a command": {"made", "--sku=CHAIR"},
		`--since is "soon"; it must be a time such as`:                                                             {"CHAIR", "--since=soon"},
	} {
		programtest.Run(t, append([]string{"explain", "--kafka-brokers=" + s.Names.Server(t)}, args...)...).RequireMisuse(t, says)
	}
}

// A position that cannot be is told from an id: the topic's partitions are named.
func TestExplain_aMistypedPosition(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", "--id="+s.Names.Commands+".90")
	s.AwaitAtRest(1)
	for _, mistyped := range []string{".99", ".99.5", ".-1", ".0.x", ""} {
		for _, command := range [][]string{{"explain", "command"}, {"explain"}} {
			programtest.Run(t, append(command, "--kafka-brokers="+s.Names.Server(t), s.Names.Commands+mistyped)...).RequireFailed(t,
				fmt.Sprintf("%q is no position: the topic %s has 3 partitions, from 0 to 2; and no command with the id", s.Names.Commands+mistyped, s.Names.Commands))
		}
	}
	o := programtest.Run(t, "explain", "command", "other.99.5", "--kafka-brokers="+s.Names.Server(t))
	require.NotContains(t, o.Err, "is no position")
	require.Contains(t, explained(t, s, "command", s.Names.Commands+".90"), ".90 is the id of 1 command\n", "an id may look like a position")
}

// Each event is looked for in the topics of events: in that of all, and in that of its type.
func TestExplain_findsEventsInKafka(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", "--id=made")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=placed")
	s.AwaitAtRest(2)
	topics := []string{"--kafka", "--events-topic=" + s.Names.Events, "--event-routes=Allocated=" + s.Names.Route}
	made, placed := s.Names.Events+`\.\d+@0 \(20\S+ \S+Z\)`, s.Names.Events+`\.\d+@1 \(20\S+ \S+Z\) and again at `+s.Names.Route+`\.\d+@0 \(20\S+ \S+Z\)`
	for _, c := range []struct{ of, found []string }{
		{[]string{"order", "o1"}, []string{placed}},
		{[]string{"batch", "b1"}, []string{made}},
		{[]string{"product", "CHAIR"}, []string{made, placed}},
		{[]string{"command", "placed"}, []string{placed}},
	} {
		text := explained(t, s, append(c.of, topics...)...)
		require.Len(t, regexp.MustCompile(`\n        id [\w-]{22}\.\d+\.\d+\.0: in Kafka at `).FindAllString(text, -1), len(c.found), text)
		for _, found := range c.found {
			require.Regexp(t, " in Kafka at "+found+"\n", text)
		}
		require.Regexp(t, `\n\nlooked for the events in `+s.Names.Events+` from 20\S+ \S+Z on, at 2 records, to its end\nlooked for the events in `+s.Names.Route+` from .* on, at 1 record, to its end\n$`, text)
	}
	var order products.OrderStory
	require.NoError(t, json.Unmarshal([]byte(explained(t, s, append([]string{"order", "o1", "--json"}, topics...)...)), &order))
	found := order.Lines[0].Events[0]
	require.Len(t, found.Kafka.Found, 2)
	require.True(t, found.Kafka.ToEnd)
	require.Contains(t, explained(t, s, append([]string{found.ID}, topics...)...), found.ID+" is the id of an event of this command\n")

	requireBounded(s)
	admin := testbed.Admin(t, s.Names.Server(t))
	below, err := admin.ListEndOffsets(t.Context(), s.Names.Events)
	require.NoError(t, err)
	_, err = admin.DeleteRecords(t.Context(), below.Offsets())
	require.NoError(t, err)
	require.Contains(t, explained(t, s, "batch", "b1", "--kafka", "--events-topic="+s.Names.Events), ".0: not found in Kafka\n")
}

// requireBounded looks at one of two records, and requires that this is said.
func requireBounded(s *programtest.Service) {
	t := s.T
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Service: products.Service, URL: s.DatabaseURL()})
	require.NoError(t, err)
	defer db.Close()
	var out bytes.Buffer
	p := program.New(nil, &out, &out, service.Hooks{})
	k := explain.InKafka{Look: true, Most: 1, EventTopics: config.EventTopics{Events: config.Events{EventsTopic: s.Names.Events}}}
	event := &store.EventView{ID: "is nowhere"}
	looked, err := k.Find(t.Context(), p, db, s.Settings().Kafka, []*store.EventView{event})
	require.NoError(t, err)
	require.False(t, event.Kafka.ToEnd)
	require.NoError(t, looked.Print(p))
	require.Equal(t, "\nlooked for the events in "+s.Names.Events+" from its start on, at 1 record, and no further\n", out.String())
}

// What is no longer kept is said so, and no other reason is made up.
func TestExplain_whatIsNotKept(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", "--id=made")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=placed")
	s.AwaitAtRest(2)
	position := positionOf(t, s, "made")
	s.Execute(`delete from transactions where from_offset = 0; delete from outbox where command_offset = 0`)
	text := explained(t, s, "command", position)
	require.Regexp(t, `(?m)^applied +what it did is no longer kept`, text)
	require.Regexp(t, `(?m)^committed +when is no longer kept$`, text)
	require.Regexp(t, `(?m)^published +what was published is no longer kept$`, text)
	require.Contains(t, explained(t, s, "batch", "b1"), "older events are not in the database")
}

// Commands behind a held product wait; the one that failed is applied again when an operator says
// so, and what waited is applied after it.
func TestExplain_aHeldProduct(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Poison()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=poison", "sku=CHAIR", "qty=1", "--id=fails")
	s.AwaitLetters(1, "--reason=internal")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=2", "--id=waits")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=2", "--id=repeats")
	testbed.Eventually(t, func() bool { return s.AwaitLetters(1, "--reason=internal")[0].Waiting == 2 })

	text := explained(t, s, "order", "o1")
	require.Contains(t, text, "    not applied yet, because product CHAIR is held\n")
	require.Regexp(t, `product CHAIR is held since \S+ \S+Z by the dead letter \S+ \(open\), with 2 commands behind it: allocation explain command \S+\n    why: .* odd `, text)
	text = explained(t, s, "command", "waits")
	require.Regexp(t, `(?m)^held +20\S+ \S+Z  not yet, because CHAIR is held by the dead letter \S+ \(open\), and 0 commands wait before it$`, text)
	require.Regexp(t, `and 1 command waits before it`, explained(t, s, "command", "repeats"))
	text = explained(t, s, "command", "fails")
	require.Regexp(t, `(?m)^refused +20\S+ \S+Z  internal: `, text)
	require.Regexp(t, `\nto apply it again:  allocation dlq retry \S+\nto leave it out:    allocation dlq discard \S+\n$`, text)

	s.Execute(`drop trigger poison on lines`)
	s.DLQ("retry", "--reason=internal").RequireDone(t)
	testbed.Eventually(t, func() bool {
		return strings.Contains(explained(t, s, "order", "o1"), "2 of CHAIR: allocated to batch b1")
	})
	text = explained(t, s, "command", "fails")
	require.Regexp(t, `(?m)^applied +1 event$`, text)
	require.Regexp(t, `(?m)^committed .*; the first of 2 times at `, text)
	require.Regexp(t, `(?m)^applied +1 event$`, explained(t, s, "command", "waits"))
	require.Regexp(t, `(?m)^applied +without effect: it changed nothing, and was not refused; it waited behind CHAIR from \S+ \S+Z until \S+ \S+Z$`, explained(t, s, "command", "repeats", "--from-topic"))
}

// Names of any kind are explained, and printed so that they confuse nobody.
func TestExplain_oddNames(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Produce(&kgo.Record{Value: []byte(`{"ref":"a.1.2","sku":"% \u202e","qty":1}`), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.CreateBatch")}}})
	s.AwaitAtRest(1)
	require.Contains(t, explained(t, s, "a.1.2"), "a.1.2 is the reference of a batch\n")
	require.Contains(t, explained(t, s, "product", "% \u202e"), fmt.Sprintf("product %% %c, version 1", '\ufffd'))
}
