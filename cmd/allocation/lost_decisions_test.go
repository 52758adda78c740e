package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// decided publishes decisions as workers do, "PARTITION.OFFSET DECISION", a millisecond apart.
func (s *Service) decided(from time.Time, decisions ...string) {
	s.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(testbed.Kafka(s.t)), kgo.MetadataMinAge(10*time.Millisecond))
	require.NoError(s.t, err)
	defer client.Close()
	for i, text := range decisions {
		place, decision, _ := strings.Cut(text, " ")
		partition, offset, _ := strings.Cut(place, ".")
		r := &kgo.Record{Topic: s.names.deadLetters, Key: []byte("CHAIR"), Timestamp: from.Add(time.Duration(i) * time.Millisecond)}
		for _, h := range [][2]string{
			{"dlq-decision", decision}, {"dlq-original-topic", s.names.commands}, {"dlq-original-partition", partition}, {"dlq-original-offset", offset},
		} {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
		}
		require.NoError(s.t, client.ProduceSync(s.t.Context(), r).FirstErr())
	}
}

func (s *Service) lost(asJSON bool) string {
	s.t.Helper()
	args := []string{"dlq", "lost", "--kafka-brokers=" + testbed.Kafka(s.t), "--dead-letter-topic=" + s.names.deadLetters}
	if asJSON {
		args = append(args, "--json")
	}
	return strings.ReplaceAll(runProgram(s.t, args...).requireDone(s.t), s.names.commands, "commands")
}

// Decisions that only the topic knows are listed, in the order in which they were made, and nothing
// else.
func TestDLQLost_listsWhatOnlyTheTopicKnows(t *testing.T) {
	s := startService(t)
	for i := range 5 {
		s.send("Allocate", fmt.Sprintf("orderid=o%d", i), "sku=CHAIR", "qty=1") // refused: the product is unknown
	}
	s.awaitAtRest(10) // each also as the event AllocationRejected
	require.Equal(t, "the database knows all decisions\n", s.lost(false))
	require.Empty(t, s.lost(true))
	home := s.partitionOf("CHAIR")
	s.execute(`update dead_letters set state = 'retried', resolved_at = now() where command_offset = 1;
		update dead_letters set state = 'discarded', resolved_at = now() where command_offset = 2`)
	noon := time.Now().UTC().Truncate(time.Second)
	s.decided(noon, home+".1 retried", home+".2 discarded", home+".3 retried", home+".99 retried", home+".4 retried", home+".0 discarded", home+".4 discarded",
		home+".3 retried", "0.0 eaten")

	lines := strings.Split(strings.TrimSpace(s.lost(false)), "\n")
	require.Len(t, lines, 5)
	require.Regexp(t, `^TIME +DEAD LETTER +PRODUCT +DECISION +IN THE DATABASE$`, lines[0])
	for i, wants := range []string{".99 +CHAIR +retried +no such dead letter", ".0 +CHAIR +discarded +open", ".4 +CHAIR +discarded +open", ".3 +CHAIR +retried +open"} {
		require.Regexp(t, `commands\.`+home+`\`+wants+"$", lines[i+1])
	}
	require.Contains(t, s.lost(true), `{"id":"commands.`+home+`.0","decision":"discarded","time":"`+noon.Format("2006-01-02T15:04:05")+`.005Z","key":"CHAIR","database":"open"}`+"\n")
}

// partitionOf is the partition that the commands of a product are in.
func (s *Service) partitionOf(sku string) string {
	s.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(testbed.Kafka(s.t)), kgo.ConsumeTopics(s.names.commands), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(s.t, err)
	defer client.Close()
	for _, r := range client.PollFetches(s.t.Context()).Records() {
		if string(r.Key) == sku {
			return fmt.Sprint(r.Partition)
		}
	}
	require.Fail(s.t, "no command of "+sku, os.Getenv("DATABASE_URL"))
	return ""
}
