package main

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

func TestTopicsCreate_makesWhatIsMissing(t *testing.T) {
	t.Parallel()
	names := newTopicNames(t)
	create := append([]string{"topics", "create", "--partitions=3", "--json"}, names.flags(t)...)

	var made []madeTopic
	require.NoError(t, json.Unmarshal([]byte(runProgram(t, create...).requireDone(t)), &made))
	require.Equal(t, []madeTopic{
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
	_, err := admin.CreateTopic(t.Context(), 1, -1, map[string]*string{maxMessageBytes: ptr("3000000")}, names.commands)
	require.NoError(t, err)

	runProgram(t, append([]string{"topics", "create"}, names.flags(t)...)...).requireDone(t)
	require.EqualValues(t, 3_000_000+deadLetterRoom, largestMessage(t.Context(), admin, []string{names.deadLetters}))
}

func TestTopicsCreate_saysThatDeadLettersLackRoom(t *testing.T) {
	t.Parallel()
	names := newTopicNames(t)
	admin := newAdmin(t, testbed.Kafka(t))
	defer admin.Close()
	_, err := admin.CreateTopic(t.Context(), 1, -1, map[string]*string{maxMessageBytes: ptr("1000")}, names.deadLetters)
	require.NoError(t, err)
	out := runProgram(t, append([]string{"topics", "create"}, names.flags(t)...)...).requireDone(t)
	require.Contains(t, out, "exists; its max.message.bytes is 1000")
	require.Contains(t, out, strconv.Itoa(usualMessageBytes+deadLetterRoom))
}

func ptr(s string) *string { return &s }
