package service_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
)

// A group of another kind takes no workers, however long they wait.
func TestWorker_refusesAGroupOfAnotherKind(t *testing.T) {
	t.Parallel()
	s := &programtest.Service{T: t, Names: programtest.NewNames(t)}
	programtest.NewDatabase(t)
	programtest.Run(t, "migrate", "up").RequireDone(t)
	programtest.Run(t, append([]string{"topics", "create", "--partitions=1"}, s.Names.Flags(t)...)...).RequireDone(t)
	for kind, join := range map[string]func(group string){
		"a share group": func(group string) { consumer(s, kgo.ShareGroup(group), kgo.ConsumeTopics(s.Names.Commands)) },
		`a group of the protocol "connect"`: func(group string) {
			consumer(s, kgo.ConsumerGroup(group), kgo.GroupProtocol("connect"), kgo.ConsumeTopics(s.Names.Commands))
		},
	} {
		group := "group-" + uuid.NewString()
		join(group)
		awaitGroup(s, group)
		o := programtest.RefuseWorker(t, append(s.Names.Flags(t), "--kafka-group-id="+group)...)
		require.Equal(t, cli.ExitFailed, o.Code, o.Err)
		require.Contains(t, o.Err, `KAFKA_GROUP_ID is "`+group+`", and Kafka has `+kind+" of that name, which takes no workers")
	}
}

// client is somebody else's, which polls.
func consumer(s *programtest.Service, options ...kgo.Opt) *kgo.Client {
	s.T.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(s.Names.Server(s.T)), kgo.MetadataMinAge(100*time.Millisecond))...)
	require.NoError(s.T, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for !client.PollFetches(s.T.Context()).IsClientClosed() && s.T.Context().Err() == nil {
		}
	}()
	s.T.Cleanup(func() {
		client.Close()
		<-ended
	})
	return client
}

// awaitGroup waits until a group has a member.
func awaitGroup(s *programtest.Service, group string) {
	s.T.Helper()
	admin := programtest.NewAdmin(s.T, s.Names.Server(s.T))
	defer admin.Close()
	testbed.Eventually(s.T, func() bool {
		groups, err := admin.ListGroups(s.T.Context())
		if err != nil {
			return false
		}
		found, ok := groups[group]
		return ok && !slices.Contains([]string{"Empty", "Dead"}, found.State)
	})
}
