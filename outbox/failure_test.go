package outbox

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A source begins again only when nothing of it is in flight: otherwise what is in flight would
// be published twice.
func TestRelay_failedPublishWaitsForAllPromises(t *testing.T) {
	s := newStage(t)
	kept := s.gateProduce(deadLetters)
	refusal := s.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: events, Err: kerr.PolicyViolation})
	r := s.owner(1)
	r.Publish(1, s.table.commit(1, deadLetter(1), event("BatchCreated", "CHAIR", "refused")))
	require.NoError(t, refusal.Wait(s.ctx, 1))
	require.NoError(t, kept.fault.Wait(s.ctx, kept.fault.Hits()+20))
	require.Zero(t, s.table.readCount(), "not before all promises have returned")
	kept.open()
	s.flush(r)
	require.Len(t, s.readAll(deadLetters), 1)
	require.Equal(t, []string{"refused"}, subjects(s.readAll(events)))
}

// A source that waits for half of what it has in flight begins again when that fails.
func TestRelay_failedPublishEndsTheWaitForAcknowledgements(t *testing.T) {
	s := newStage(t)
	kept := s.gateProduce(events)
	r := s.relay(func(o *Options) { o.Envelope.Routes = nil })
	s.open(r, 1, 0)
	r.Publish(1, s.table.commit(1, numbered("BatchCreated", "CHAIR", 0, 2*maxInFlight)...))
	kept.waitBlocked(s.ctx)
	refusal := s.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: events, Err: kerr.PolicyViolation})
	kept.open()
	require.NoError(t, refusal.Wait(s.ctx, 1))
	s.flush(r)
	require.Equal(t, map[string]int64{"CHAIR": 2 * maxInFlight}, requireFirstInOrder(t, s.readAll(events)))
}

// What waits for a source of another process goes on when that source is opened here, and is
// published far enough already.
func TestRelay_predecessorsSourceOpensHere(t *testing.T) {
	s := newStage(t)
	r := s.owner(2)
	s.table.commit(1, event("BatchCreated", "CHAIR", "first"))
	r.Publish(2, s.table.commit(2, event("BatchCreated", "CHAIR", "second")))
	require.Equal(t, []int32{1}, <-s.table.nudged)
	r.Open(sourceOf(1), s.budgets[r], 1, 1)
	s.flush(r)
	require.Equal(t, []string{"second"}, subjects(s.readAll(events)))
}
