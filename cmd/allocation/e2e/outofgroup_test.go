package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestReadyz_redForAWorkerThatItsGroupDoesNotTake: a worker is frozen for longer than its session,
// and meanwhile somebody takes the group whose protocol is not the workers'. Thawed, it is refused
// by the group for as long as that one stays, and says so.
func TestReadyz_redForAWorkerThatItsGroupDoesNotTake(t *testing.T) {
	t.Parallel()
	a := setup(t, 2)
	l := a.load(random(t), 2, 4)
	w := a.start("worker", "")
	l.send(50)
	a.check(time.Minute)
	require.Equal(t, ready, w.Get("/readyz"))
	require.Contains(t, w.Get("/metrics"), "allocation_group_member 1\n")

	w.Signal(syscall.SIGSTOP)
	stranger := a.stranger(kgo.RangeBalancer())
	await(t, 20*time.Second, func() bool { return a.protocol() == "range" }, "the other consumer has the group")
	w.Signal(syscall.SIGCONT)
	l.sendEverywhere()
	await(t, 20*time.Second, func() bool { return strings.Contains(w.Get("/readyz"), "INCONSISTENT_GROUP_PROTOCOL") }, "the worker is red")
	require.Contains(t, w.Get("/readyz"), `"group: out of it for `)
	require.Contains(t, w.Get("/metrics"), "allocation_group_member 0\n")
	require.True(t, w.logged("this worker is out of its group, and applies nothing"))
	require.Regexp(t, `allocation_retries_total\{reason="group",system="kafka"\} [1-9]`, w.Get("/metrics"))

	stranger.Close()
	await(t, 20*time.Second, func() bool { return w.Get("/readyz") == ready }, "it is ready again when the other is gone")
	require.True(t, w.logged("this worker is in its group again"))
	l.sendEverywhere()
	a.check(time.Minute)
	w.stop()
}

// stranger is a consumer of somebody else's in the workers' group, which commits what it reads.
func (a *arena) stranger(balancer kgo.GroupBalancer, more ...kgo.Opt) *kgo.Client {
	a.t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(strings.Split(a.brokers, ",")...), kgo.ConsumerGroup(a.group), kgo.ConsumeTopics(a.commands...), kgo.Balancers(balancer),
		kgo.ClientID("stranger"), kgo.MetadataMinAge(100 * time.Millisecond), kgo.AutoCommitInterval(200 * time.Millisecond), kgo.FetchMaxWait(250 * time.Millisecond),
	}, more...)...)
	require.NoError(a.t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for !client.PollFetches(a.t.Context()).IsClientClosed() && a.t.Context().Err() == nil {
		}
	}()
	a.t.Cleanup(func() {
		client.Close()
		<-ended
	})
	return client
}

// protocol is the group's, where it is stable.
func (a *arena) protocol() string {
	groups, err := a.admin.DescribeGroups(a.t.Context(), a.group)
	if err != nil || groups[a.group].State != "Stable" {
		return ""
	}
	return groups[a.group].Protocol
}
