package main

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

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/offsets"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/kafka"
)

const goneOnLimit = time.Minute // what asks a broker that is away asks again after 5 s

// A partition whose only broker is gone: a worker that starts applies what the others have, says
// which one waits and why, and goes on with it when the broker is back.
func TestService_goesOnWhereAPartitionHasNoLeader(t *testing.T) {
	cluster := newCluster(t, "127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1")
	s := onOneReplica(t, cluster)
	s.setUp("3")
	skus := s.oneOfEach()
	for _, sku := range skus {
		s.send("CreateBatch", "ref=b"+sku, "sku="+sku, "qty=100")
	}
	s.applied(3)
	require.NoError(t, s.stop())
	s.send("Allocate", "orderid=waits", "sku="+skus[2], "qty=1")
	cluster.Kill(2)
	s.noLeader(2)

	s.start()
	s.allocates("goes-on", skus[:2])
	s.namesTheOneThatWaits("LEADER_NOT_AVAILABLE")
	s.resetsTheOthers()
	require.Len(t, s.tail(4, "--events-topic="+s.names.commands), 4, "tail reads all that the others have")
	require.Contains(t, runProgram(t, "show", "product", skus[2]).requireDone(t), "100", "its product is as it was")

	require.NoError(t, cluster.Start(t.Context(), 2))
	s.allocated("waits")
	s.allocates("again", skus[:])
	s.namesNothing()
	require.Equal(t, 1, strings.Count(s.log.String(), `msg="nothing comes from a partition; trying on"`), s.log.String())
}

// A new topic that is to begin at its end waits as a whole where a partition does not tell its end:
// it would later begin elsewhere.
func TestService_beginsANewTopicAtItsEndWhenAllPartitionsTell(t *testing.T) {
	cluster := newCluster(t, "127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1")
	s := onOneReplica(t, cluster)
	s.reset = "latest"
	t.Setenv("DATABASE_URL", testbed.Database(t))
	runProgram(t, "migrate", "up").requireDone(t)
	runProgram(t, append([]string{"topics", "create"}, s.names.flags(t)...)...).requireDone(t)
	skus := s.oneOfEach()
	for _, sku := range skus {
		s.send("CreateBatch", "ref=old"+sku, "sku="+sku, "qty=100")
	}
	cluster.Kill(2)
	s.noLeader(2)
	s.launch()
	s.awaitReadyz("503 ", "commands, partition 0: nothing comes since ", "commands, partition 2: nothing comes since ", "the topic is new and begins at its end")
	require.NoError(t, cluster.Start(t.Context(), 2))
	s.awaitReadyz("200 {\"ready\":true}\n")
	for _, sku := range skus {
		require.Equal(t, cli.ExitFailed, runProgram(t, "show", "product", sku).code, "what was there before is skipped")
		s.send("CreateBatch", "ref=new"+sku, "sku="+sku, "qty=100")
	}
	s.allocates("new", skus[:])
}

// The group deals out partitions while one has no leader.
func TestService_rebalancesWhileAPartitionHasNoLeader(t *testing.T) {
	cluster := newCluster(t, "127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1")
	s := onOneReplica(t, cluster)
	s.setUp("3")
	skus := s.oneOfEach()
	for _, sku := range skus {
		s.send("CreateBatch", "ref=b"+sku, "sku="+sku, "qty=100")
	}
	s.applied(3)
	cluster.Kill(2)
	s.noLeader(2)
	second := &Service{t: t, group: s.group, names: s.names}
	second.launch()
	require.Eventually(t, func() bool { return strings.Contains(second.get("/metrics"), "allocation_partitions_assigned 1") }, goneOnLimit, 20*time.Millisecond)
	s.allocates("two", skus[:2])

	require.NoError(t, s.stop())
	s.allocates("one", skus[:2])
	second.namesTheOneThatWaits("LEADER_NOT_AVAILABLE")
	require.NoError(t, cluster.Start(t.Context(), 2))
	s.allocates("three", skus[:])
	second.namesNothing()
	require.NoError(t, second.stop())
}

// onOneReplica is a worker that is not started, whose command topic has each of its partitions on
// one broker.
func onOneReplica(t *testing.T, cluster *kafka.Cluster) *Service {
	t.Helper()
	s := onCluster(t, cluster)
	makeTopic(t, cluster, s.names.commands, [][]int32{{1}, {2}, {3}})
	return s
}

// oneOfEach are products whose commands go to the partitions, in order.
func (s *Service) oneOfEach() (skus [3]string) {
	to := kgo.StickyKeyPartitioner(nil).ForTopic(s.names.commands)
	for n := 0; skus[0] == "" || skus[1] == "" || skus[2] == ""; n++ {
		sku := fmt.Sprintf("SKU%d", n)
		skus[to.Partition(&kgo.Record{Key: []byte(sku)}, 3)] = sku
	}
	return skus
}

// applied waits until so many events are published.
func (s *Service) applied(events int) { s.t.Helper(); s.tail(events) }

// noLeader waits until the brokers know that a partition has no leader, and all others have one.
func (s *Service) noLeader(partition int32) {
	s.t.Helper()
	admin := newAdmin(s.t, s.names.server(s.t))
	defer admin.Close()
	require.Eventually(s.t, func() bool {
		topics, err := admin.ListTopics(s.t.Context(), s.names.commands, s.names.events, s.names.route, s.names.deadLetters)
		if err != nil || len(topics) != 4 {
			return false
		}
		without := 0
		topics.EachPartition(func(p kadm.PartitionDetail) {
			if p.Leader < 0 || p.Err != nil {
				without++
			}
		})
		return without == 1 && topics[s.names.commands].Partitions[partition].Leader < 0
	}, replicasLimit, 50*time.Millisecond)
}

// allocates sends a command for each product, and waits until its event is published.
func (s *Service) allocates(order string, skus []string) {
	s.t.Helper()
	for _, sku := range skus {
		s.send("Allocate", "orderid="+order+sku, "sku="+sku, "qty=1")
	}
	began := time.Now()
	for _, sku := range skus {
		s.allocated(order + sku)
	}
	s.t.Logf("%s: applied after %s", order, time.Since(began))
}

func (s *Service) allocated(order string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		return strings.Contains(runProgram(s.t, "show", "order", order).out, "allocated")
	}, goneOnLimit, 50*time.Millisecond, "order %s", order)
}

func (s *Service) namesTheOneThatWaits(why string) { s.t.Helper(); s.namesPartition(s, 2, why) }

// namesPartition: log, metric, /readyz and the list, asked for from elsewhere, say which partition
// waits, and why. That is no reason not to be ready.
func (s *Service) namesPartition(from *Service, partition int, why string) {
	s.t.Helper()
	name := fmt.Sprintf("commands, partition %d: nothing comes since ", partition)
	s.awaitReadyz(`200 {"ready":true,"notes":[`, name, why)
	require.Regexp(s.t, fmt.Sprintf(`level=ERROR msg="nothing comes from a partition; trying on".* topic=commands partition=%d .*%s`, partition, regexp.QuoteMeta(why)), s.log.String())
	require.Eventually(s.t, func() bool {
		return strings.Contains(s.get("/metrics"), "\nallocation_partitions_not_fetched 1\n") && from.listsAs(partition, "not_fetched: since .*"+regexp.QuoteMeta(why))
	}, goneOnLimit, 50*time.Millisecond)
}

// resetsTheOthers: of a whole topic, what answers is decided, and the rest is named, with what to
// do about it.
func (s *Service) resetsTheOthers() {
	s.t.Helper()
	reset := func(flags ...string) outcome {
		return runProgram(s.t, append([]string{"offsets", "reset", "--to-latest", "--topic=commands", "--kafka-brokers=" + s.names.server(s.t)}, flags...)...)
	}
	o := reset("--partition=2", "--execute")
	require.Equal(s.t, cli.ExitFailed, o.code)
	require.Contains(s.t, o.err, "nothing was decided: no position that can be compared with its log is in quarantine, of those asked for: topic commands, partition 2: LEADER_NOT_AVAILABLE")
	for _, flags := range [][]string{nil, {"--execute"}, {"--json"}} {
		o := reset(flags...)
		require.Equal(s.t, cli.ExitFailed, o.code, "not all that was asked for")
		require.Contains(s.t, o.out, "goes on where it is")
		require.Contains(s.t, o.err, "they were left alone: decide about them, by --topic and --partition, when their brokers are back: topic commands, partition 2: LEADER_NOT_AVAILABLE")
	}
	var moves []offsets.Move
	require.NoError(s.t, json.Unmarshal([]byte(reset("--json").out), &moves))
	require.Len(s.t, moves, 2)
	history := runProgram(s.t, "offsets", "list", "--history").requireDone(s.t)
	require.Equal(s.t, 2, strings.Count(history, " reset "), "decided once, for two: %s", history)
}

func (s *Service) listsAs(partition int, state string) bool {
	o := runProgram(s.t, "offsets", "list", "--kafka-brokers="+s.names.server(s.t))
	return o.code == cli.ExitDone && regexp.MustCompile(fmt.Sprintf(`(?m)^commands +%d .* %s`, partition, state)).MatchString(o.out)
}

func (s *Service) namesNothing() {
	s.t.Helper()
	s.awaitReadyz("200 {\"ready\":true}\n")
	require.Eventually(s.t, func() bool {
		return strings.Contains(s.get("/metrics"), "\nallocation_partitions_not_fetched 0\n") && s.listsAs(0, "ok") && s.listsAs(1, "ok") && s.listsAs(2, "ok")
	}, goneOnLimit, 50*time.Millisecond)
}
