package service_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/offsets"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/proxy"
)

// One cluster serves all that is shown where a broker is away, one after the other.
func TestService_goesOnWhereABrokerIsAway(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	three := newCluster(t)
	for _, c := range []struct {
		name string
		show func(*programtest.Service, cluster)
	}{
		{"aPartitionHasNoLeader", goesOnWithoutALeader},
		{"aNewTopicBeginsAtItsEnd", beginsANewTopicAtItsEnd},
		{"oneWorkerDoesNotReachIt", goesOnWhereItReachesNotEachBroker},
		{"readyzSaysWhatKeepsEventsBack", saysWhatKeepsEventsBack},
		{"dueCommandsGoElsewhere", sendsWhatIsDueElsewhere},
	} {
		t.Run(c.name, func(t *testing.T) { c.show(three.worker(t, c.name+"-"), three) })
	}
}

// goesOnWithoutALeader: a partition's only broker is gone. A worker that starts applies what the
// others have, says which one waits and why, and goes on with it when the broker is back. The group
// deals out partitions meanwhile.
func goesOnWithoutALeader(s *programtest.Service, cluster cluster) {
	t := s.T
	skus := setUpOneOfEach(s, cluster)
	require.NoError(t, s.Stop())
	s.Send("Allocate", "orderid=waits", "sku="+skus[2], "qty=1")
	cluster.Kill(2)
	noLeader(s, 2)

	s.Start()
	allocates(s, "goes-on", skus[:2])
	namesPartition(s, s, 2, "LEADER_NOT_AVAILABLE")
	resetsTheOthers(s)
	require.Len(t, s.Tail(4, "--events-topic="+s.Names.Commands), 4, "tail reads all that the others have")
	require.Contains(t, programtest.Run(t, "show", "product", skus[2]).RequireDone(t), "100", "its product is as it was")

	require.NoError(t, cluster.Start(t.Context(), 2))
	allocated(s, "waits")
	allocates(s, "again", skus)
	namesNothing(s)
	require.Equal(t, 1, strings.Count(s.Log.String(), `msg="nothing comes from a partition, retrying"`), s.Log.String())

	cluster.Kill(2)
	noLeader(s, 2)
	second := &programtest.Service{T: t, Group: s.Group, Names: s.Names}
	second.Launch()
	testbed.Eventually(t, func() bool { return strings.Contains(second.Get("/metrics"), "allocation_partitions_assigned 1") })
	allocates(s, "two", skus[:2])
	require.NoError(t, s.Stop())
	allocates(s, "one", skus[:2])
	namesPartition(second, second, 2, "LEADER_NOT_AVAILABLE")
	require.NoError(t, cluster.Start(t.Context(), 2))
	allocates(s, "three", skus)
	namesNothing(second)
	require.NoError(t, second.Stop())
}

// beginsANewTopicAtItsEnd: it waits as a whole where a partition does not tell its end, since it
// would later begin elsewhere.
func beginsANewTopicAtItsEnd(s *programtest.Service, cluster cluster) {
	t := s.T
	s.Reset = "latest"
	cluster.makeTopic(t, s.Names.Commands, []int32{1}, []int32{2}, []int32{3})
	programtest.NewMigratedDatabase(t)
	s.Names.Create(t).RequireDone(t)
	skus := oneOfEach(s.Names.Commands, 3)
	for _, sku := range skus {
		s.Send("CreateBatch", "ref=old"+sku, "sku="+sku, "qty=100")
	}
	cluster.Kill(2)
	noLeader(s, 2)
	s.Launch()
	s.AwaitReadyz("503 ", "commands, partition 0: nothing comes since ", "commands, partition 2: nothing comes since ", "the topic is new and begins at its end")
	require.NoError(t, cluster.Start(t.Context(), 2))
	s.AwaitReadyz("200 {\"ready\":true}\n")
	for _, sku := range skus {
		programtest.Run(t, "show", "product", sku).RequireFailed(t) // what was there before is skipped
		s.Send("CreateBatch", "ref=new"+sku, "sku="+sku, "qty=100")
	}
	allocates(s, "new", skus)
	require.NoError(t, s.Stop())
}

// goesOnWhereItReachesNotEachBroker: one broker of three cannot be reached from one worker; others
// reach it.
func goesOnWhereItReachesNotEachBroker(s *programtest.Service, cluster cluster) {
	t := s.T
	away := notCoordinator(s)
	one, other := int32((away+1)%3+1), int32((away+2)%3+1)
	for _, topic := range []string{s.Names.Events, s.Names.Route, s.Names.DeadLetters} {
		cluster.makeTopic(t, topic, []int32{one, other}, []int32{other, one})
	}
	skus := setUpOneOfEach(s, cluster)
	require.NoError(t, s.Stop())

	cluster.ways[away].Hold(proxy.Up, proxy.Down)
	behind := &programtest.Service{T: t, Group: s.Group, Names: s.Names}
	behind.Names.Brokers = strings.Join(cluster.addresses(), ",")
	behind.Start()
	allocates(s, "goes-on", slices.Delete(slices.Clone(skus), away, away+1))
	namesPartition(behind, s, away, "its leader is broker "+fmt.Sprint(away+1)+", which was asked: ")
	require.True(t, listsAs(behind, away, "not_fetched"), "it needs no broker that is away")
	cluster.ways[away].Release()
	allocates(s, "again", skus)
	namesNothing(behind)
	require.NoError(t, behind.Stop())
}

// setUpOneOfEach starts a worker that makes a product in each partition. Each has its own broker.
func setUpOneOfEach(s *programtest.Service, cluster cluster) (skus []string) {
	s.T.Helper()
	cluster.makeTopic(s.T, s.Names.Commands, []int32{1}, []int32{2}, []int32{3})
	s.SetUp("3")
	skus = oneOfEach(s.Names.Commands, 3)
	for _, sku := range skus {
		s.Send("CreateBatch", "ref=b"+sku, "sku="+sku, "qty=100")
	}
	s.Tail(3)
	return skus
}

// notCoordinator is a node that the group does not need.
func notCoordinator(s *programtest.Service) int {
	s.T.Helper()
	admin := testbed.Admin(s.T, s.Names.Brokers)
	var found kadm.FindCoordinatorResponses
	testbed.Eventually(s.T, func() bool { // its topic is made when it is asked for first
		found = admin.FindGroupCoordinators(s.T.Context(), s.Group)
		return found.Error() == nil
	})
	return int(found[s.Group].NodeID % 3)
}

// noLeader waits until the brokers know that a partition has no leader, and all others have one.
func noLeader(s *programtest.Service, partition int32) {
	s.T.Helper()
	admin := testbed.Admin(s.T, s.Names.Server(s.T))
	testbed.Eventually(s.T, func() bool {
		topics, err := admin.ListTopics(s.T.Context(), s.Names.Commands, s.Names.Events, s.Names.Route, s.Names.DeadLetters)
		if err != nil || len(topics) != 4 {
			return false
		}
		without := 0
		topics.EachPartition(func(p kadm.PartitionDetail) {
			if p.Leader < 0 || p.Err != nil {
				without++
			}
		})
		return without == 1 && topics[s.Names.Commands].Partitions[partition].Leader < 0
	})
}

// allocates sends a command for each product, and waits until its event is published.
func allocates(s *programtest.Service, order string, skus []string) {
	s.T.Helper()
	for _, sku := range skus {
		s.Send("Allocate", "orderid="+order+sku, "sku="+sku, "qty=1")
	}
	for _, sku := range skus {
		allocated(s, order+sku)
	}
}

func allocated(s *programtest.Service, order string) {
	s.T.Helper()
	testbed.Eventually(s.T, func() bool {
		return strings.Contains(programtest.Run(s.T, "show", "order", order).Out, "allocated")
	}, "order %s", order)
}

// namesPartition: log, metric, /readyz and the list, asked for from elsewhere, say which partition
// waits, and why. That is no reason not to be ready.
func namesPartition(s *programtest.Service, from *programtest.Service, partition int, why string) {
	s.T.Helper()
	name := fmt.Sprintf("commands, partition %d: nothing comes since ", partition)
	s.AwaitReadyz(`200 {"ready":true,"notes":[`, name, why)
	require.Regexp(s.T, fmt.Sprintf(`level=ERROR msg="nothing comes from a partition, retrying".* topic=%s partition=%d .*%s`, s.Names.Commands, partition, regexp.QuoteMeta(why)), s.Log.String())
	testbed.Eventually(s.T, func() bool {
		return strings.Contains(s.Get("/metrics"), "\nallocation_partitions_not_fetched 1\n") && listsAs(from, partition, "not_fetched: since .*"+regexp.QuoteMeta(why))
	})
}

// resetsTheOthers: of a whole topic, what answers is decided, and the rest is named, with what to
// do about it.
func resetsTheOthers(s *programtest.Service) {
	s.T.Helper()
	reset := func(flags ...string) programtest.Outcome {
		return programtest.Run(s.T, append([]string{"offsets", "reset", "--to-latest", "--topic=" + s.Names.Commands, "--kafka-brokers=" + s.Names.Server(s.T)}, flags...)...)
	}
	reset("--partition=2", "--execute").RequireFailed(s.T, "nothing was decided: no position that can be compared with its log is in quarantine, of those asked for: topic "+s.Names.Commands+", partition 2: LEADER_NOT_AVAILABLE")
	for _, flags := range [][]string{nil, {"--execute"}, {"--json"}} {
		reset(flags...).RequireFailed(s.T, "goes on where it is", "they were left alone: decide about them, by --topic and --partition, when their brokers are back: topic "+s.Names.Commands+", partition 2: LEADER_NOT_AVAILABLE")
	}
	var moves []offsets.Move
	require.NoError(s.T, json.Unmarshal([]byte(reset("--json").Out), &moves))
	require.Len(s.T, moves, 2)
	history := programtest.Run(s.T, "offsets", "list", "--history").RequireDone(s.T)
	require.Equal(s.T, 2, strings.Count(history, " reset "), "decided once, for two: %s", history)
}

func listsAs(s *programtest.Service, partition int, state string) bool {
	o := programtest.Run(s.T, "offsets", "list", "--kafka-brokers="+s.Names.Server(s.T))
	return o.Code == cli.ExitDone && regexp.MustCompile(fmt.Sprintf(`(?m)^%s +%d .* %s`, s.Names.Commands, partition, state)).MatchString(o.Out)
}

func namesNothing(s *programtest.Service) {
	s.T.Helper()
	s.AwaitReadyz("200 {\"ready\":true}\n")
	testbed.Eventually(s.T, func() bool {
		return strings.Contains(s.Get("/metrics"), "\nallocation_partitions_not_fetched 0\n") && listsAs(s, 0, "ok") && listsAs(s, 1, "ok") && listsAs(s, 2, "ok")
	})
}
