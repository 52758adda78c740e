package service_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// A group of another kind takes no workers, however long they wait.
func TestWorker_refusesAGroupOfAnotherKind(t *testing.T) {
	t.Parallel()
	s := programtest.NewService(t)
	programtest.NewMigratedDatabase(t)
	s.Names.Create(t, "--partitions=1").RequireDone(t)
	share, connect := "share-"+s.Group, "connect-"+s.Group
	for kind, c := range map[string]struct {
		group   string
		options []kgo.Opt
	}{
		"a share group":                     {share, []kgo.Opt{kgo.ShareGroup(share)}},
		`a group of the protocol "connect"`: {connect, []kgo.Opt{kgo.ConsumerGroup(connect), kgo.GroupProtocol("connect")}},
	} {
		client := testbed.Client(t, testbed.Kafka(t), append(c.options, kgo.ConsumeTopics(s.Names.Commands))...)
		var polling sync.WaitGroup
		polling.Go(func() {
			for t.Context().Err() == nil {
				client.PollFetches(t.Context())
			}
		})
		t.Cleanup(polling.Wait)
		awaitGroup(s, c.group)
		s.RunWorker("--kafka-group-id="+c.group).RequireFailed(t, `--kafka-group-id is "`+c.group+`", and Kafka has `+kind+" of that name, which takes no workers")
	}
}

// awaitGroup waits until a group has a member.
func awaitGroup(s *programtest.Service, group string) {
	s.T.Helper()
	admin := testbed.Admin(s.T, s.Names.Server(s.T))
	testbed.Eventually(s.T, func() bool {
		groups, err := admin.ListGroups(s.T.Context())
		if err != nil {
			return false
		}
		found, ok := groups[group]
		return ok && !slices.Contains([]string{"Empty", "Dead"}, found.State)
	})
}
