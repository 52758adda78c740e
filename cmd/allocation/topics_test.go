package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/topics"
	"allocation/deploy/testbed"
)

func TestTopicsCreate_makesWhatIsMissing(t *testing.T) {
	t.Parallel()
	names := newTopicNames(t)
	create := append([]string{"topics", "create", "--partitions=3", "--json"}, names.flags(t)...)

	var made []topics.Made
	require.NoError(t, json.Unmarshal([]byte(runProgram(t, create...).requireDone(t)), &made))
	require.Equal(t, []topics.Made{
		{Topic: names.commands, Partitions: 3, Created: true},
		{Topic: names.events, Partitions: 3, Created: true},
		{Topic: names.route, Partitions: 3, Created: true},
		{Topic: names.deadLetters, Partitions: 3, Created: true},
	}, made)

	require.NoError(t, json.Unmarshal([]byte(runProgram(t, create...).requireDone(t)), &made))
	for _, m := range made {
		require.False(t, m.Created)
	}
}

func TestTopicsCreate_deadLettersHaveRoom(t *testing.T) {
	t.Parallel()
	names := newTopicNames(t)
	admin := newAdmin(t, testbed.Kafka(t))
	defer admin.Close()
	_, err := admin.CreateTopic(t.Context(), 1, -1, map[string]*string{"max.message.bytes": ptr("3000000")}, names.commands)
	require.NoError(t, err)

	runProgram(t, append([]string{"topics", "create"}, names.flags(t)...)...).requireDone(t)
	configs, err := admin.DescribeTopicConfigs(t.Context(), names.deadLetters)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(3_000_000+64<<10), settingOf(t, configs[0], "max.message.bytes"))
}

func TestTopicsCreate_saysThatDeadLettersLackRoom(t *testing.T) {
	t.Parallel()
	names := newTopicNames(t)
	admin := newAdmin(t, testbed.Kafka(t))
	defer admin.Close()
	_, err := admin.CreateTopic(t.Context(), 1, -1, map[string]*string{"max.message.bytes": ptr("1000")}, names.deadLetters)
	require.NoError(t, err)
	out := runProgram(t, append([]string{"topics", "create"}, names.flags(t)...)...).requireDone(t)
	require.Contains(t, out, "exists; its max.message.bytes is 1000")
	require.Contains(t, out, strconv.Itoa(1048588+64<<10))
}

// Brokers may compact whatever says nothing else. Topics that are made here say so, and those that
// were made otherwise are an error that names the command that mends it: for whoever makes topics,
// and for a worker.
func TestTopics_commandTopicThatIsCompactedByTheBrokersDefaultIsRefused(t *testing.T) {
	server := testbed.StartKafka(t, testbed.KafkaSettings{"log.cleanup.policy": "compact,delete"})
	t.Setenv("DATABASE_URL", testbed.Database(t))
	runProgram(t, "migrate", "up").requireDone(t)
	names := topicNames{commands: "made-by-others", events: "events", route: "route", deadLetters: "dlq", brokers: server.Brokers()}
	admin := newAdmin(t, server.Brokers())
	defer admin.Close()
	_, err := admin.CreateTopic(t.Context(), 1, -1, nil, names.commands)
	require.NoError(t, err)

	const mend = "kafka-configs --bootstrap-server %s --alter --entity-type topics --entity-name made-by-others --add-config cleanup.policy=delete"
	o := runProgram(t, append([]string{"topics", "create"}, names.flags(t)...)...)
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.out, "exists; its cleanup.policy is compact,delete: of the commands of a product all but the last are removed")
	require.Contains(t, o.err, fmt.Sprintf(mend, server.Brokers()))
	o = refuseWorker(t, names.flags(t)...)
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.err, "allocation: cleanup.policy of the topic made-by-others is compact,delete: ")
	require.Contains(t, o.err, fmt.Sprintf(mend, server.Brokers()))

	names.commands = "made-here"
	runProgram(t, append([]string{"topics", "create"}, names.flags(t)...)...).requireDone(t)
	configs, err := admin.DescribeTopicConfigs(t.Context(), names.commands, names.events, names.route, names.deadLetters)
	require.NoError(t, err)
	for _, topic := range configs {
		require.Equal(t, "delete", settingOf(t, topic, topics.CleanupPolicy), topic.Name)
	}
}

func TestTopicsCreate_saysWhatTopicsDoNotKeep(t *testing.T) {
	t.Parallel()
	names := newTopicNames(t)
	admin := newAdmin(t, testbed.Kafka(t))
	defer admin.Close()
	for topic, settings := range map[string]map[string]*string{
		names.commands:    {"retention.ms": ptr("3600000"), "retention.bytes": ptr("1000000")},
		names.events:      {"cleanup.policy": ptr("compact"), "max.message.bytes": ptr("100000"), "retention.ms": ptr("604799999")},
		names.deadLetters: {"cleanup.policy": ptr("compact,delete"), "retention.ms": ptr("86400000"), "unclean.leader.election.enable": ptr("true"), "max.message.bytes": ptr("2000000")},
	} {
		_, err := admin.CreateTopic(t.Context(), 1, -1, settings, topic)
		require.NoError(t, err)
	}
	out := runProgram(t, append([]string{"topics", "create", "--json"}, names.flags(t)...)...).requireDone(t)
	var made []topics.Made
	require.NoError(t, json.Unmarshal([]byte(out), &made))
	notes := map[string]string{}
	for _, m := range made {
		notes[m.Topic] = m.Note
	}
	require.Contains(t, notes[names.commands], "its retention.ms is 3600000: that is 1h0m0s, and OUTBOX_RETENTION is 168h0m0s: a database that is restored")
	require.Contains(t, notes[names.commands], "--entity-name "+names.commands+" --add-config retention.ms=604800000")
	require.Contains(t, notes[names.commands], "its retention.bytes is 1000000: ")
	require.Contains(t, notes[names.events], "its cleanup.policy is compact: ")
	require.Contains(t, notes[names.events], "its max.message.bytes is 100000: ")
	require.Contains(t, notes[names.events], "its retention.ms is 604799999: ")
	require.Contains(t, notes[names.deadLetters], "its cleanup.policy is compact,delete: ")
	require.Contains(t, notes[names.deadLetters], "its retention.ms is 86400000: ")
	require.Contains(t, notes[names.deadLetters], "its unclean.leader.election.enable is true: ")
	require.Empty(t, notes[names.route])
	shorter := runProgram(t, append([]string{"topics", "create", "--outbox-retention=1h"}, names.flags(t)...)...).requireDone(t)
	require.NotContains(t, shorter, "retention.ms")
}

// A command topic that begins to be compacted under a running worker: an error in log, metric and
// notes, and work goes on.
func TestService_saysThatACommandTopicBecameCompacted(t *testing.T) {
	s := startService(t)
	admin := newAdmin(t, testbed.Kafka(t))
	defer admin.Close()
	policy := func(value string) {
		_, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: topics.CleanupPolicy, Value: &value}}, s.names.commands)
		require.NoError(t, err)
	}
	gauge := fmt.Sprintf(`allocation_topic_misconfigured{setting="cleanup.policy",severity="error",topic=%q} `, s.names.commands)
	require.Contains(t, s.get("/metrics"), gauge+"0\n")
	policy("compact")
	s.awaitReadyz(`200 {"ready":true,"notes":["commands are lost: cleanup.policy of the topic `+s.names.commands+" is compact: ", "--add-config cleanup.policy=delete")
	require.Contains(t, s.get("/metrics"), gauge+"1\n")
	require.Contains(t, s.log.String(), `level=ERROR msg="commands are lost: of the commands of a product all but the last are removed`)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	require.Len(t, s.tail(1), 1)
	policy("delete")
	s.awaitReadyz("200 {\"ready\":true}\n")
	require.Contains(t, s.get("/metrics"), gauge+"0\n")
}

// settingOf is the value of a topic's setting.
func settingOf(t *testing.T, topic kadm.ResourceConfig, name string) string {
	t.Helper()
	for _, c := range topic.Configs {
		if c.Key == name {
			return c.MaybeValue()
		}
	}
	require.Fail(t, "no setting "+name, topic.Name)
	return ""
}

func ptr(s string) *string { return &s }
