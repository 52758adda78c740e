package e2e

import (
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

var update = flag.Bool("update", false, "write the golden file of the corpus")

// The bytes of what is published are a contract. The corpus has every type of event, and a dead
// letter of each reason that a command's text can give. It has a bare command, and bare events by a
// route, for those who know nothing of envelopes, and commands of a held product that took effect
// later. A worker with another database that reads the same commands publishes the same bytes.
func TestPromise2_aRepeatHasTheSameBytes(t *testing.T) {
	const file = "testdata/corpus.golden"
	first := setup(t, 1)
	first.produceCorpus()
	published := first.runCorpus()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(published), 0o600))
	}
	golden, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(golden), published)

	again := setup(t, 1)
	again.commands = first.commands
	require.Equal(t, string(golden), again.runCorpus(), "another worker reads the same commands")
}

// produceCorpus sends the commands of the corpus, whose timestamps are always the same.
func (a *arena) produceCorpus() {
	a.t.Helper()
	_, err := a.admin.AlterTopicConfigs(a.t.Context(), []kadm.AlterConfig{{Name: "retention.ms", Value: kadm.StringPtr("-1")}}, a.commands[0])
	require.NoError(a.t, err)
	for n, r := range corpus() {
		r.Topic, r.Timestamp = a.commands[0], time.UnixMilli(1795401607123+int64(n)*1000)
		require.NoError(a.t, a.client.ProduceSync(a.t.Context(), r).FirstErr())
	}
}

// runCorpus applies the commands, one of which cannot be stored at first, and returns all that was
// published.
func (a *arena) runCorpus() string {
	a.t.Helper()
	route := testbed.Topic(a.t, "route", 1)
	a.exec(`create function curse() returns trigger language plpgsql as $$ begin raise exception 'cursed'; end $$`)
	a.exec(`create trigger curse before insert on lines for each row when (new.orderid = 'cursed') execute function curse()`)
	p := a.start("corpus", "", "COMMAND_TOPICS="+a.commands[0]+"=ChangeBatchQuantity,"+a.commands[1], "EVENT_ROUTES=Allocated="+route)
	await(a.t, time.Minute, a.done, "the commands are applied, refused or held")
	a.exec(`drop trigger curse on lines`)
	cursed := a.commands[0] + ".0." + strconv.Itoa(cursedAt())
	a.subcommand("dlq", "retry", cursed, "--wait=0s")
	await(a.t, time.Minute, func() bool {
		return strings.Contains(a.subcommand("dlq", "list", "--state=retried"), cursed) && a.done()
	}, "the held commands took effect")
	p.stop()

	var all strings.Builder
	for _, topic := range []string{a.events, route, a.letters} {
		a.printTopic(&all, topic)
	}
	id := a.topicID(a.commands[0])
	return strings.NewReplacer(a.commands[0], "warehouse.commands", a.events, "allocation.events", route, "line_allocated",
		a.letters, "warehouse.commands.dlq", a.group, "allocation", id, "TOPIC-ID").Replace(all.String())
}

func (a *arena) exec(sql string) {
	a.t.Helper()
	_, err := a.db.Exec(a.t.Context(), sql)
	require.NoError(a.t, err)
}

// topicID is a topic's id as it is in ids of events.
func (a *arena) topicID(topic string) string {
	a.t.Helper()
	topics, err := a.admin.ListTopics(a.t.Context(), topic)
	require.NoError(a.t, err)
	id := topics[topic].ID
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// printTopic writes all records of a topic with one partition.
func (a *arena) printTopic(to *strings.Builder, topic string) {
	a.t.Helper()
	ends, err := a.admin.ListEndOffsets(a.t.Context(), topic)
	require.NoError(a.t, err)
	end, _ := ends.Lookup(topic, 0)
	reader, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(a.brokers, ",")...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	require.NoError(a.t, err)
	defer reader.Close()
	for read := int64(0); read < end.Offset; {
		fetches := reader.PollFetches(a.t.Context())
		require.NoError(a.t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			read = r.Offset + 1
			printRecord(to, r)
		})
	}
}

func printRecord(to *strings.Builder, r *kgo.Record) {
	fmt.Fprintf(to, "topic   %s\nkey     %s\nvalue   %s\n", r.Topic, quoted(r.Key), quoted(r.Value))
	for _, h := range r.Headers {
		fmt.Fprintf(to, "header  %s: %s\n", h.Key, quoted(h.Value))
	}
	to.WriteString("\n")
}

func quoted(b []byte) string {
	if b == nil {
		return "nil"
	}
	return strconv.QuoteToASCII(string(b))
}
