package service_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/offsets"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/kafka"
)

// A partition whose only broker is gone: a worker that starts applies what the others have, says
// which one waits and why, and goes on with it when the broker is back.
func TestService_goesOnWhereAPartitionHasNoLeader(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	cluster := newCluster(t, "127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1")
	s := onOneReplica(t, cluster)
	s.SetUp("3")
	skus := oneOfEach(s)
	for _, sku := range skus {
		s.Send("CreateBatch", "ref=b"+sku, "sku="+sku, "qty=100")
	}
	applied(s, 3)
	require.NoError(t, s.Stop())
	s.Send("Allocate", "orderid=waits", "sku="+skus[2], "qty=1")
	cluster.Kill(2)
	noLeader(s, 2)

	s.Start()
	allocates(s, "goes-on", skus[:2])
	namesTheOneThatWaits(s, "LEADER_NOT_AVAILABLE")
	resetsTheOthers(s)
	require.Len(t, s.Tail(4, "--events-topic="+s.Names.Commands), 4, "tail reads all that the others have")
	require.Contains(t, programtest.Run(t, "show", "product", skus[2]).RequireDone(t), "100", "its product is as it was")

	require.NoError(t, cluster.Start(t.Context(), 2))
	allocated(s, "waits")
	allocates(s, "again", skus[:])
	namesNothing(s)
	require.Equal(t, 1, strings.Count(s.Log.String(), `msg="nothing comes from a partition, retrying"`), s.Log.String())
}

// A new topic that is to begin at its end waits as a whole where a partition does not tell its end:
// it would later begin elsewhere.
func TestService_beginsANewTopicAtItsEndWhenAllPartitionsTell(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	cluster := newCluster(t, "127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1")
	s := onOneReplica(t, cluster)
	s.Reset = "latest"
	programtest.NewDatabase(t)
	programtest.Run(t, "migrate", "up").RequireDone(t)
	programtest.Run(t, append([]string{"topics", "create"}, s.Names.Flags(t)...)...).RequireDone(t)
	skus := oneOfEach(s)
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
		require.Equal(t, cli.ExitFailed, programtest.Run(t, "show", "product", sku).Code, "what was there before is skipped")
		s.Send("CreateBatch", "ref=new"+sku, "sku="+sku, "qty=100")
	}
	allocates(s, "new", skus[:])
}

// The group deals out partitions while one has no leader.
func TestService_rebalancesWhileAPartitionHasNoLeader(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	cluster := newCluster(t, "127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1")
	s := onOneReplica(t, cluster)
	s.SetUp("3")
	skus := oneOfEach(s)
	for _, sku := range skus {
		s.Send("CreateBatch", "ref=b"+sku, "sku="+sku, "qty=100")
	}
	applied(s, 3)
	cluster.Kill(2)
	noLeader(s, 2)
	second := &programtest.Service{T: t, Group: s.Group, Names: s.Names}
	second.Launch()
	testbed.Eventually(t, func() bool { return strings.Contains(second.Get("/metrics"), "allocation_partitions_assigned 1") })
	allocates(s, "two", skus[:2])

	require.NoError(t, s.Stop())
	allocates(s, "one", skus[:2])
	namesTheOneThatWaits(second, "LEADER_NOT_AVAILABLE")
	require.NoError(t, cluster.Start(t.Context(), 2))
	allocates(s, "three", skus[:])
	namesNothing(second)
	require.NoError(t, second.Stop())
}

// onOneReplica is a worker that is not started, whose command topic has each of its partitions on
// one broker.
func onOneReplica(t *testing.T, cluster *kafka.Cluster) *programtest.Service {
	t.Helper()
	s := onCluster(t, cluster)
	makeTopic(t, cluster, s.Names.Commands, [][]int32{{1}, {2}, {3}})
	return s
}

// oneOfEach are products whose commands go to the partitions, in order.
func oneOfEach(s *programtest.Service) (skus [3]string) {
	to := kgo.StickyKeyPartitioner(nil).ForTopic(s.Names.Commands)
	for n := 0; skus[0] == "" || skus[1] == "" || skus[2] == ""; n++ {
		sku := fmt.Sprintf("SKU%d", n)
		skus[to.Partition(&kgo.Record{Key: []byte(sku)}, 3)] = sku
	}
	return skus
}

// applied waits until so many events are published.
func applied(s *programtest.Service, events int) { s.T.Helper(); s.Tail(events) }

// noLeader waits until the brokers know that a partition has no leader, and all others have one.
func noLeader(s *programtest.Service, partition int32) {
	s.T.Helper()
	admin := programtest.NewAdmin(s.T, s.Names.Server(s.T))
	defer admin.Close()
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
	began := time.Now()
	for _, sku := range skus {
		allocated(s, order+sku)
	}
	s.T.Logf("%s: applied after %s", order, time.Since(began))
}

func allocated(s *programtest.Service, order string) {
	s.T.Helper()
	testbed.Eventually(s.T, func() bool {
		return strings.Contains(programtest.Run(s.T, "show", "order", order).Out, "allocated")
	}, "order %s", order)
}

func namesTheOneThatWaits(s *programtest.Service, why string) {
	s.T.Helper()
	namesPartition(s, s, 2, why)
}

// namesPartition: log, metric, /readyz and the list, asked for from elsewhere, say which partition
// waits, and why. That is no reason not to be ready.
func namesPartition(s *programtest.Service, from *programtest.Service, partition int, why string) {
	s.T.Helper()
	name := fmt.Sprintf("commands, partition %d: nothing comes since ", partition)
	s.AwaitReadyz(`200 {"ready":true,"notes":[`, name, why)
	require.Regexp(s.T, fmt.Sprintf(`level=ERROR msg="nothing comes from a partition, retrying".* topic=commands partition=%d .*%s`, partition, regexp.QuoteMeta(why)), s.Log.String())
	testbed.Eventually(s.T, func() bool {
		return strings.Contains(s.Get("/metrics"), "\nallocation_partitions_not_fetched 1\n") && listsAs(from, partition, "not_fetched: since .*"+regexp.QuoteMeta(why))
	})
}

// resetsTheOthers: of a whole topic, what answers is decided, and the rest is named, with what to
// do about it.
func resetsTheOthers(s *programtest.Service) {
	s.T.Helper()
	reset := func(flags ...string) programtest.Outcome {
		return programtest.Run(s.T, append([]string{"offsets", "reset", "--to-latest", "--topic=commands", "--kafka-brokers=" + s.Names.Server(s.T)}, flags...)...)
	}
	o := reset("--partition=2", "--execute")
	require.Equal(s.T, cli.ExitFailed, o.Code)
	require.Contains(s.T, o.Err, "nothing was decided: no position that can be compared with its log is in quarantine, of those asked for: topic commands, partition 2: LEADER_NOT_AVAILABLE")
	for _, flags := range [][]string{nil, {"--execute"}, {"--json"}} {
		o := reset(flags...)
		require.Equal(s.T, cli.ExitFailed, o.Code, "not all that was asked for")
		require.Contains(s.T, o.Out, "goes on where it is")
		require.Contains(s.T, o.Err, "they were left alone: decide about them, by --topic and --partition, when their brokers are back: topic commands, partition 2: LEADER_NOT_AVAILABLE")
	}
	var moves []offsets.Move
	require.NoError(s.T, json.Unmarshal([]byte(reset("--json").Out), &moves))
	require.Len(s.T, moves, 2)
	history := programtest.Run(s.T, "offsets", "list", "--history").RequireDone(s.T)
	require.Equal(s.T, 2, strings.Count(history, " reset "), "decided once, for two: %s", history)
}

func listsAs(s *programtest.Service, partition int, state string) bool {
	o := programtest.Run(s.T, "offsets", "list", "--kafka-brokers="+s.Names.Server(s.T))
	return o.Code == cli.ExitDone && regexp.MustCompile(fmt.Sprintf(`(?m)^commands +%d .* %s`, partition, state)).MatchString(o.Out)
}

func namesNothing(s *programtest.Service) {
	s.T.Helper()
	s.AwaitReadyz("200 {\"ready\":true}\n")
	testbed.Eventually(s.T, func() bool {
		return strings.Contains(s.Get("/metrics"), "\nallocation_partitions_not_fetched 0\n") && listsAs(s, 0, "ok") && listsAs(s, 1, "ok") && listsAs(s, 2, "ok")
	})
}
