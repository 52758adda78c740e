package main

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
)

// A group of another kind takes no workers, however long they wait.
func TestWorker_refusesAGroupOfAnotherKind(t *testing.T) {
	s := &Service{t: t, names: newTopicNames(t)}
	t.Setenv("DATABASE_URL", testbed.Database(t))
	runProgram(t, "migrate", "up").requireDone(t)
	runProgram(t, append([]string{"topics", "create", "--partitions=1"}, s.names.flags(t)...)...).requireDone(t)
	for kind, join := range map[string]func(group string){
		"a share group": func(group string) { s.client(kgo.ShareGroup(group), kgo.ConsumeTopics(s.names.commands)) },
		`a group of the protocol "connect"`: func(group string) {
			s.client(kgo.ConsumerGroup(group), kgo.GroupProtocol("connect"), kgo.ConsumeTopics(s.names.commands))
		},
	} {
		group := "group-" + uuid.NewString()
		join(group)
		s.awaitGroup(group)
		o := refuseWorker(t, append(s.names.flags(t), "--kafka-group-id="+group)...)
		require.Equal(t, cli.ExitFailed, o.code, o.err)
		require.Contains(t, o.err, `KAFKA_GROUP_ID is "`+group+`", and Kafka has `+kind+" of that name, which takes no workers")
	}
}

// client is somebody else's, which polls.
func (s *Service) client(options ...kgo.Opt) *kgo.Client {
	s.t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(s.names.server(s.t)), kgo.MetadataMinAge(100*time.Millisecond))...)
	require.NoError(s.t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for !client.PollFetches(s.t.Context()).IsClientClosed() && s.t.Context().Err() == nil {
		}
	}()
	s.t.Cleanup(func() {
		client.Close()
		<-ended
	})
	return client
}

// awaitGroup waits until a group has a member.
func (s *Service) awaitGroup(group string) {
	s.t.Helper()
	admin := newAdmin(s.t, s.names.server(s.t))
	defer admin.Close()
	require.Eventually(s.t, func() bool {
		groups, err := admin.ListGroups(s.t.Context())
		if err != nil {
			return false
		}
		found, ok := groups[group]
		return ok && !slices.Contains([]string{"Empty", "Dead"}, found.State)
	}, startLimit, 20*time.Millisecond)
}
