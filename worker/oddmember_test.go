package worker_test

import (
	"context"
	"testing"
	"time"

	"allocation/deploy/testbed"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// oddMember is a member of the group that tells nothing about itself, not even in a form that
// could be read.
type oddMember struct {
	*pipeline
	id         string
	generation int32
}

// takePart joins the group again each time it moves, until the context ends.
func (o *oddMember) takePart(ctx context.Context) {
	for ctx.Err() == nil {
		if o.join(ctx) {
			o.beat(ctx)
		}
	}
}

func (o *oddMember) join(ctx context.Context) bool {
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.MemberID, join.ProtocolType = o.group, o.id, "consumer"
	join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = 10_000, 60_000
	join.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "cooperative-sticky"}}
	answer, err := join.RequestWith(ctx, o.client)
	if err != nil {
		return false
	}
	o.id, o.generation = answer.MemberID, answer.Generation
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.MemberID, sync.Generation, sync.Protocol, sync.ProtocolType = o.group, o.id, o.generation, answer.Protocol, answer.ProtocolType
	if answer.ErrorCode == 0 {
		_, err = sync.RequestWith(ctx, o.client)
	}
	return answer.ErrorCode == 0 && err == nil
}

func (o *oddMember) beat(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		beat := kmsg.NewPtrHeartbeatRequest()
		beat.Group, beat.MemberID, beat.Generation = o.group, o.id, o.generation
		answer, err := beat.RequestWith(ctx, o.client)
		if err != nil || kerr.ErrorForCode(answer.ErrorCode) != nil {
			return
		}
	}
}

func TestPromise6_aMemberWhoseMetadataCannotBeReadKeepsNothingFromTheOthers(t *testing.T) {
	p := setup(t, 2)
	m := p.start()
	p.sendNames(0, 0, 1)
	p.awaitName(0, 0)
	ctx, leave := context.WithCancel(t.Context())
	odd, ended := &oddMember{pipeline: p}, make(chan struct{})
	go func() {
		defer close(ended)
		odd.takePart(ctx)
	}()
	defer func() { leave(); <-ended }()
	testbed.Eventually(p.t, func() bool {
		notes := m.Notes()
		return len(notes) == 1 && len(m.NotReady(t.Context())) == 0
	})
	require.Contains(t, m.Notes()[0], "is no worker of this version and has 0 partitions")
	p.sendNames(0, 1, 1)
	p.sendNames(1, 0, 1)
	p.awaitName(0, 1)
	p.awaitName(1, 0)
	require.NoError(t, m.stop())
}
