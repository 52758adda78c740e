package topics_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/topics"
	"allocation/deploy/testbed"
)

func TestTopicsCreate_makesWhatIsMissing(t *testing.T) {
	t.Parallel()
	names := programtest.NewNames(t)
	create := append([]string{"topics", "create", "--partitions=3", "--json"}, names.Flags(t)...)

	var made []topics.Made
	require.NoError(t, json.Unmarshal([]byte(programtest.Run(t, create...).RequireDone(t)), &made))
	require.Equal(t, []topics.Made{
		{Topic: names.Commands, Partitions: 3, Created: true},
		{Topic: names.Events, Partitions: 3, Created: true},
		{Topic: names.Route, Partitions: 3, Created: true},
		{Topic: names.DeadLetters, Partitions: 3, Created: true},
	}, made)

	require.NoError(t, json.Unmarshal([]byte(programtest.Run(t, create...).RequireDone(t)), &made))
	for _, m := range made {
		require.False(t, m.Created)
	}
}

func TestTopicsCreate_deadLettersHaveRoom(t *testing.T) {
	t.Parallel()
	names := programtest.NewNames(t)
	admin := programtest.NewAdmin(t, testbed.Kafka(t))
	defer admin.Close()
	_, err := admin.CreateTopic(t.Context(), 1, -1, map[string]*string{"max.message.bytes": kadm.StringPtr("3000000")}, names.Commands)
	require.NoError(t, err)

	programtest.Run(t, append([]string{"topics", "create"}, names.Flags(t)...)...).RequireDone(t)
	configs, err := admin.DescribeTopicConfigs(t.Context(), names.DeadLetters)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(3_000_000+64<<10), settingOf(t, configs[0], "max.message.bytes"))
}

func TestTopicsCreate_saysThatDeadLettersLackRoom(t *testing.T) {
	t.Parallel()
	names := programtest.NewNames(t)
	admin := programtest.NewAdmin(t, testbed.Kafka(t))
	defer admin.Close()
	_, err := admin.CreateTopic(t.Context(), 1, -1, map[string]*string{"max.message.bytes": kadm.StringPtr("1000")}, names.DeadLetters)
	require.NoError(t, err)
	out := programtest.Run(t, append([]string{"topics", "create"}, names.Flags(t)...)...).RequireDone(t)
	require.Contains(t, out, "exists; its max.message.bytes is 1000")
	require.Contains(t, out, strconv.Itoa(1048588+64<<10))
}

// A broker may compact each topic that does not say otherwise. Topics that are made here say so.
// Others are an error that names the command that mends it, for topics create and for a worker.
func TestTopics_commandTopicThatIsCompactedByTheBrokersDefaultIsRefused(t *testing.T) {
	t.Parallel()
	server := testbed.StartKafka(t, testbed.KafkaSettings{"log.cleanup.policy": "compact,delete"})
	programtest.NewDatabase(t)
	programtest.Run(t, "migrate", "up").RequireDone(t)
	names := programtest.Names{Commands: "made-by-others", Events: "events", Route: "route", DeadLetters: "dlq", Brokers: server.Brokers()}
	admin := programtest.NewAdmin(t, server.Brokers())
	defer admin.Close()
	_, err := admin.CreateTopic(t.Context(), 1, -1, nil, names.Commands)
	require.NoError(t, err)

	const mend = "kafka-configs --bootstrap-server %s --alter --entity-type topics --entity-name made-by-others --add-config cleanup.policy=delete"
	o := programtest.Run(t, append([]string{"topics", "create"}, names.Flags(t)...)...)
	require.Equal(t, cli.ExitFailed, o.Code)
	require.Contains(t, o.Out, "exists; its cleanup.policy is compact,delete: of the commands with the same key all but the last are removed")
	require.Contains(t, o.Err, fmt.Sprintf(mend, server.Brokers()))
	o = programtest.RefuseWorker(t, names.Flags(t)...)
	require.Equal(t, cli.ExitFailed, o.Code)
	require.Contains(t, o.Err, "allocation: cleanup.policy of the topic made-by-others is compact,delete: ")
	require.Contains(t, o.Err, fmt.Sprintf(mend, server.Brokers()))

	names.Commands = "made-here"
	programtest.Run(t, append([]string{"topics", "create"}, names.Flags(t)...)...).RequireDone(t)
	configs, err := admin.DescribeTopicConfigs(t.Context(), names.Commands, names.Events, names.Route, names.DeadLetters)
	require.NoError(t, err)
	for _, topic := range configs {
		require.Equal(t, "delete", settingOf(t, topic, topics.CleanupPolicy), topic.Name)
	}
}

func TestTopicsCreate_saysWhatTopicsDoNotKeep(t *testing.T) {
	t.Parallel()
	names := programtest.NewNames(t)
	admin := programtest.NewAdmin(t, testbed.Kafka(t))
	defer admin.Close()
	for topic, settings := range map[string]map[string]*string{
		names.Commands:    {"retention.ms": kadm.StringPtr("3600000"), "retention.bytes": kadm.StringPtr("1000000")},
		names.Events:      {"cleanup.policy": kadm.StringPtr("compact"), "max.message.bytes": kadm.StringPtr("100000"), "retention.ms": kadm.StringPtr("604799999")},
		names.DeadLetters: {"cleanup.policy": kadm.StringPtr("compact,delete"), "retention.ms": kadm.StringPtr("86400000"), "unclean.leader.election.enable": kadm.StringPtr("true"), "max.message.bytes": kadm.StringPtr("2000000")},
	} {
		_, err := admin.CreateTopic(t.Context(), 1, -1, settings, topic)
		require.NoError(t, err)
	}
	out := programtest.Run(t, append([]string{"topics", "create", "--json"}, names.Flags(t)...)...).RequireDone(t)
	var made []topics.Made
	require.NoError(t, json.Unmarshal([]byte(out), &made))
	notes := map[string]string{}
	for _, m := range made {
		notes[m.Topic] = m.Note
	}
	require.Contains(t, notes[names.Commands], "its retention.ms is 3600000: that is 1h0m0s, and OUTBOX_RETENTION is 168h0m0s: a database that is restored")
	require.Contains(t, notes[names.Commands], "--entity-name "+names.Commands+" --add-config retention.ms=604800000")
	require.Contains(t, notes[names.Commands], "its retention.bytes is 1000000: ")
	require.Contains(t, notes[names.Events], "its cleanup.policy is compact: ")
	require.Contains(t, notes[names.Events], "its max.message.bytes is 100000: ")
	require.Contains(t, notes[names.Events], "its retention.ms is 604799999: ")
	require.Contains(t, notes[names.DeadLetters], "its cleanup.policy is compact,delete: ")
	require.Contains(t, notes[names.DeadLetters], "its retention.ms is 86400000: ")
	require.Contains(t, notes[names.DeadLetters], "its unclean.leader.election.enable is true: ")
	require.Empty(t, notes[names.Route])
	shorter := programtest.Run(t, append([]string{"topics", "create", "--outbox-retention=1h"}, names.Flags(t)...)...).RequireDone(t)
	require.NotContains(t, shorter, "retention.ms")
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
