package dlq_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// decided publishes decisions as workers do, "PARTITION.OFFSET DECISION", a millisecond apart.
func decided(s *programtest.Service, from time.Time, decisions ...string) {
	s.T.Helper()
	client := testbed.Client(s.T, testbed.Kafka(s.T))
	for i, text := range decisions {
		place, decision, _ := strings.Cut(text, " ")
		partition, offset, _ := strings.Cut(place, ".")
		r := &kgo.Record{Topic: s.Names.DeadLetters, Key: []byte("CHAIR"), Timestamp: from.Add(time.Duration(i) * time.Millisecond)}
		for _, h := range [][2]string{
			{"dlq-decision", decision}, {"dlq-original-topic", s.Names.Commands}, {"dlq-original-partition", partition}, {"dlq-original-offset", offset},
		} {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
		}
		require.NoError(s.T, client.ProduceSync(s.T.Context(), r).FirstErr())
	}
}

func lost(s *programtest.Service, asJSON bool) string {
	s.T.Helper()
	args := []string{"dlq", "lost", "--kafka-brokers=" + testbed.Kafka(s.T), "--dead-letter-topic=" + s.Names.DeadLetters}
	if asJSON {
		args = append(args, "--json")
	}
	return strings.ReplaceAll(programtest.Run(s.T, args...).RequireDone(s.T), s.Names.Commands, "commands")
}

// Decisions that only the topic knows are listed, in the order in which they were made, and nothing
// else.
func TestDLQLost_listsWhatOnlyTheTopicKnows(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	for i := range 5 {
		s.Send("Allocate", fmt.Sprintf("orderid=o%d", i), "sku=CHAIR", "qty=1") // refused: the product is unknown
	}
	s.AwaitAtRest(10) // each also as the event AllocationRejected
	require.Equal(t, "the database knows all decisions\n", lost(s, false))
	require.Empty(t, lost(s, true))
	home := fmt.Sprint(s.Busy().Partition)
	s.Execute(`update dead_letters set state = 'retried', resolved_at = now() where command_offset = 1;
		update dead_letters set state = 'discarded', resolved_at = now() where command_offset = 2`)
	noon := time.Now().UTC().Truncate(time.Second)
	decided(s, noon, home+".1 retried", home+".2 discarded", home+".3 retried", home+".99 retried", home+".4 retried", home+".0 discarded", home+".4 discarded",
		home+".3 retried", "0.0 eaten")

	lines := strings.Split(strings.TrimSpace(lost(s, false)), "\n")
	require.Len(t, lines, 5)
	require.Regexp(t, `^TIME +DEAD LETTER +PRODUCT +DECISION +IN THE DATABASE$`, lines[0])
	for i, wants := range []string{".99 +CHAIR +retried +no such dead letter", ".0 +CHAIR +discarded +open", ".4 +CHAIR +discarded +open", ".3 +CHAIR +retried +open"} {
		require.Regexp(t, `commands\.`+home+`\`+wants+"$", lines[i+1])
	}
	require.Contains(t, lost(s, true), `{"id":"commands.`+home+`.0","decision":"discarded","time":"`+noon.Format("2006-01-02T15:04:05")+`.005Z","key":"CHAIR","database":"open"}`+"\n")
}
