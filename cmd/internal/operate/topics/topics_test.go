package topics_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/operate/topics"
	"allocation/deploy/testbed"
)

// create creates topics.
func create(t *testing.T, names programtest.Names) (made []topics.Made) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(names.Create(t, "--partitions=3", "--json").RequireDone(t)), &made))
	return made
}

func TestTopicsCreate_makesWhatIsMissing(t *testing.T) {
	t.Parallel()
	names := programtest.NewNames(t)
	require.Equal(t, []topics.Made{
		{Topic: names.Commands, Partitions: 3, Created: true},
		{Topic: names.Events, Partitions: 3, Created: true},
		{Topic: names.Route, Partitions: 3, Created: true},
		{Topic: names.DeadLetters, Partitions: 3, Created: true},
	}, create(t, names))
	for _, m := range create(t, names) {
		require.False(t, m.Created)
	}
}

// The dead-letter topic takes what a command topic does, and a little more.
func TestTopicsCreate_deadLettersHaveRoom(t *testing.T) {
	t.Parallel()
	names := programtest.NewNames(t)
	admin := testbed.Admin(t, testbed.Kafka(t))
	_, err := admin.CreateTopic(t.Context(), 1, -1, map[string]*string{"max.message.bytes": kadm.StringPtr("3000000")}, names.Commands)
	require.NoError(t, err)
	create(t, names)
	configs, err := admin.DescribeTopicConfigs(t.Context(), names.DeadLetters)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(3_000_000+64<<10), settingOf(t, configs[0], "max.message.bytes"))
}

// A broker may compact each topic that does not say otherwise. Topics that are made here say so.
// Others are an error that names the command that mends it, for topics create and for a worker.
func TestTopics_commandTopicThatIsCompactedByTheBrokersDefaultIsRefused(t *testing.T) {
	t.Parallel()
	server := testbed.StartKafka(t, testbed.KafkaSettings{"log.cleanup.policy": "compact,delete"})
	programtest.NewMigratedDatabase(t)
	names := programtest.Names{Commands: "made-by-others", Events: "events", Route: "route", DeadLetters: "dlq", Brokers: server.Brokers()}
	admin := testbed.Admin(t, server.Brokers())
	_, err := admin.CreateTopic(t.Context(), 1, -1, nil, names.Commands)
	require.NoError(t, err)

	const mend = "kafka-configs --bootstrap-server %s --alter --entity-type topics --entity-name made-by-others --add-config cleanup.policy=delete"
	names.Create(t, "--partitions=1").RequireFailed(t, "exists; its cleanup.policy is compact,delete: of the commands with the same key all but the last are removed", fmt.Sprintf(mend, server.Brokers()))
	programtest.RefuseWorker(t, names.Flags(t)...).RequireFailed(t, "allocation: cleanup.policy of the topic made-by-others is compact,delete: ", fmt.Sprintf(mend, server.Brokers()))

	names.Commands = "made-here"
	names.Create(t, "--partitions=1").RequireDone(t)
	configs, err := admin.DescribeTopicConfigs(t.Context(), names.Commands, names.Events, names.Route, names.DeadLetters)
	require.NoError(t, err)
	for _, topic := range configs {
		require.Equal(t, "delete", settingOf(t, topic, topics.CleanupPolicy), topic.Name)
	}
}

func TestTopicsCreate_saysWhatTopicsDoNotKeep(t *testing.T) {
	t.Parallel()
	names := programtest.NewNames(t)
	admin := testbed.Admin(t, testbed.Kafka(t))
	for topic, settings := range map[string]map[string]*string{
		names.Commands:    {"retention.ms": kadm.StringPtr("3600000"), "retention.bytes": kadm.StringPtr("1000000")},
		names.Events:      {"cleanup.policy": kadm.StringPtr("compact"), "max.message.bytes": kadm.StringPtr("100000"), "retention.ms": kadm.StringPtr("604799999")},
		names.DeadLetters: {"cleanup.policy": kadm.StringPtr("compact,delete"), "retention.ms": kadm.StringPtr("86400000"), "unclean.leader.election.enable": kadm.StringPtr("true"), "max.message.bytes": kadm.StringPtr("1000")},
	} {
		_, err := admin.CreateTopic(t.Context(), 1, -1, settings, topic)
		require.NoError(t, err)
	}
	notes := map[string]string{}
	for _, m := range create(t, names) {
		notes[m.Topic] = m.Note
	}
	require.Contains(t, notes[names.Commands], "its retention.ms is 3600000: that is 1h0m0s, and --outbox-retention is 168h0m0s: a database that is restored")
	require.Contains(t, notes[names.Commands], "--entity-name "+names.Commands+" --add-config retention.ms=604800000")
	require.Contains(t, notes[names.Commands], "its retention.bytes is 1000000: ")
	require.Contains(t, notes[names.Events], "its cleanup.policy is compact: ")
	require.Contains(t, notes[names.Events], "its max.message.bytes is 100000: ")
	require.Contains(t, notes[names.Events], "its retention.ms is 604799999: ")
	require.Contains(t, notes[names.DeadLetters], "its cleanup.policy is compact,delete: ")
	require.Contains(t, notes[names.DeadLetters], "its retention.ms is 86400000: ")
	require.Contains(t, notes[names.DeadLetters], "its unclean.leader.election.enable is true: ")
	require.Contains(t, notes[names.DeadLetters], "its max.message.bytes is 1000: ")
	require.Contains(t, notes[names.DeadLetters], strconv.Itoa(1048588+64<<10))
	require.Empty(t, notes[names.Route])
	shorter := names.Create(t, "--outbox-retention=1h").RequireDone(t)
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
