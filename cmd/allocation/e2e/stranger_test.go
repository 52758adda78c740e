package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestGroup_namesAConsumerThatIsNoWorker: somebody else's consumer in the workers' group gets
// partitions, of which nothing is applied, and commits their offsets, so that Kafka shows no lag.
// Workers name it, and show the lag. When it has left, its offsets are not taken for a database
// that was restored.
func TestGroup_namesAConsumerThatIsNoWorker(t *testing.T) {
	for name, options := range map[string][]kgo.Opt{
		"a cooperative consumer":                nil,
		"a consumer of the newer kind of group": {kgo.ServerSideBalancer()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := setup(t, 4)
			l := a.load(random(t), 4, 4)
			w := a.start("worker", "")
			l.sendEverywhere()
			a.check(time.Minute)
			stranger := a.stranger(kgo.CooperativeStickyBalancer(), options...)
			await(t, time.Minute, func() bool { return strings.Contains(w.Get("/readyz"), `client \"stranger\" at `) }, "the worker names the stranger")
			l.sendEverywhere()
			await(t, time.Minute, func() bool { return a.foreignLag(w) }, "what waits in the stranger's partitions is listed and measured")
			require.Contains(t, w.Get("/readyz"), `"ready":true`)
			require.Contains(t, w.Get("/metrics"), `allocation_foreign_members{kind="consumer"} 1`)
			require.Regexp(t, `level=ERROR msg="a consumer that is no worker of this version is in the group.* client=stranger host=`, w.Logged())

			stranger.Close()
			await(t, 30*time.Second, func() bool { return w.Get("/readyz") == ready }, "it is gone")
			a.check(time.Minute)
			require.Contains(t, w.Get("/metrics"), `allocation_foreign_members{kind="consumer"} 0`)
			await(t, 10*time.Second, func() bool { return len(a.lagging(w)) == 0 }, "nothing waits")
			require.Zero(t, w.rollbacks(), "what a stranger committed is no evidence")
			require.False(t, w.logged("the database is behind"))
			w.stop()
		})
	}
}

var lagMetric = regexp.MustCompile(`(?m)^allocation_consumer_lag\{partition="(\d+)",topic="([^"]+)"\} [1-9]`)

// lagging are the partitions in which commands wait, as the worker's metrics have it.
func (a *arena) lagging(w *process) (partitions []topicPartition) {
	a.t.Helper()
	for _, m := range lagMetric.FindAllStringSubmatch(w.Get("/metrics"), -1) {
		var p int32
		_, err := fmt.Sscan(m[1], &p)
		require.NoError(a.t, err)
		partitions = append(partitions, topicPartition{m[2], p})
	}
	return partitions
}

// foreignLag reports whether commands wait in partitions that a stranger has, and each of these is
// named as such.
func (a *arena) foreignLag(w *process) bool {
	listed := a.offsetsList()
	lagging := a.lagging(w)
	for _, at := range lagging {
		if !strings.HasPrefix(listed[at], `foreign: the group gave the partition to client "stranger" at `) {
			return false
		}
	}
	return len(lagging) > 0
}

// offsetsList are the states that `offsets list` prints.
func (a *arena) offsetsList() map[topicPartition]string {
	a.t.Helper()
	var positions []struct {
		Topic     string
		Partition int32
		State     string
		Reason    string
	}
	require.NoError(a.t, json.Unmarshal([]byte(a.subcommand("offsets", "list", "--json")), &positions))
	states := map[topicPartition]string{}
	for _, p := range positions {
		states[topicPartition{p.Topic, p.Partition}] = strings.TrimSuffix(p.State+": "+p.Reason, ": ")
	}
	return states
}
