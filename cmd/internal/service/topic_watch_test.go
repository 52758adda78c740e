package service_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/operate/topics"
	"allocation/deploy/testbed"
)

// A command topic that begins to be compacted under a running worker: an error in log, metric and
// notes, and work goes on.
func TestService_saysThatACommandTopicBecameCompacted(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	admin := testbed.Admin(t, testbed.Kafka(t))
	policy := func(value string) {
		_, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: topics.CleanupPolicy, Value: &value}}, s.Names.Commands)
		require.NoError(t, err)
	}
	gauge := fmt.Sprintf(`allocation_topic_misconfigured{setting="cleanup.policy",severity="error",topic=%q} `, s.Names.Commands)
	require.Contains(t, s.Get("/metrics"), gauge+"0\n")
	policy("compact")
	s.AwaitReadyz(`200 {"ready":true,"notes":["commands are lost: cleanup.policy of the topic `+s.Names.Commands+" is compact: ", "--add-config cleanup.policy=delete")
	require.Contains(t, s.Get("/metrics"), gauge+"1\n")
	require.Contains(t, s.Log.String(), `level=ERROR msg="commands are lost: of the commands with the same key all but the last are removed`)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	require.Len(t, s.Tail(1), 1)
	policy("delete")
	s.AwaitReadyz("200 {\"ready\":true}\n")
	require.Contains(t, s.Get("/metrics"), gauge+"0\n")
}
