package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTopics_oneThatLeftTheConfigurationWithABacklogIsNamed: records wait in a topic that has
// positions and that no worker reads any more. A worker says so, once in its log, and no more when
// another worker of the group reads the topic.
func TestTopics_oneThatLeftTheConfigurationWithABacklogIsNamed(t *testing.T) {
	t.Parallel()
	a := setup(t, 2)
	l := a.load(random(t), 2, 4)
	before := a.start("before", "")
	l.sendEverywhere()
	a.check(time.Minute)
	before.stop()

	fewer := a.start("fewer", "", "COMMAND_TOPICS="+a.commands[0])
	await(t, 20*time.Second, func() bool { return fewer.Get("/readyz") == ready }, "nothing waits, and nothing is said")
	l.sendEverywhere()
	says := fmt.Sprintf("%s: no worker reads this topic any more, and 2 records wait in it", a.commands[1])
	await(t, 40*time.Second, func() bool { return strings.Contains(fewer.Get("/readyz"), says) }, "it is named")
	require.Contains(t, fewer.Get("/readyz"), `"ready":true`)
	require.Contains(t, fewer.Get("/metrics"), fmt.Sprintf("allocation_consumer_lag{partition=\"1\",topic=%q} 1", a.commands[1]))
	require.Equal(t, 1, strings.Count(fewer.Logged(), "no worker reads this topic any more"))
	require.Equal(t, "unread: no worker reads this topic any more: is it missing in --command-topics?", a.offsetsList()[topicPartition{a.commands[1], 1}])

	both := a.start("both", "")
	await(t, 40*time.Second, func() bool { return fewer.Get("/readyz") == ready }, "another worker reads it")
	a.check(time.Minute)
	both.stop()
	fewer.stop()
}
