package outbox

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestRelay_publishesInOrder(t *testing.T) {
	s := newStage(t)
	r := s.owner(1)
	for i := range 10 {
		r.Publish(1, s.table.commit(1, numbered("BatchCreated", "CHAIR", i*100, 100)...))
	}
	s.flush(r)
	records := s.readAll(events)
	require.Len(t, records, 1000)
	require.Equal(t, map[string]int64{"CHAIR": 1000}, requireFirstInOrder(t, records))
	published, ok := r.Published(1)
	require.True(t, ok)
	require.EqualValues(t, 1000, published)
	require.Zero(t, s.table.readCount(), "what was handed over is not read again")
	require.Equal(t, tally{}, s.used(r))
}

func TestRelay_drainsWhatWasCommittedBeforeTheClaim(t *testing.T) {
	s := newStage(t)
	s.table.commit(1, numbered("BatchCreated", "CHAIR", 0, 250)...)
	r := s.relay()
	s.open(r, 1, 20)
	r.Publish(1, s.table.commit(1, numbered("BatchCreated", "CHAIR", 250, 10)...))
	s.flush(r, 1)
	records := s.readAll(events)
	require.Len(t, records, 240)
	require.Equal(t, "CHAIR-20", header(records[0], "ce_subject"))
	require.Equal(t, "CHAIR-259", header(records[239], "ce_subject"))
	require.Equal(t, tally{}, s.used(r))
}

func TestRelay_waitsForTheTable(t *testing.T) {
	s := newStage(t)
	s.table.commit(1, numbered("BatchCreated", "CHAIR", 0, 5)...)
	s.table.fail(errors.New("connection refused"))
	retried := make(chan string, 1000)
	r := s.relay(func(o *Options) { o.Metrics.Retried = func(system, reason string) { retried <- system + " " + reason } })
	s.open(r, 1, 0)
	require.Equal(t, "postgres drain", <-retried)
	require.Equal(t, "postgres drain", <-retried)
	require.ErrorContains(t, r.Err(), "connection refused")
	s.table.fail(nil)
	s.flush(r)
	require.NoError(t, r.Err())
}

func TestRelay_defersAKeyUntilItsPredecessorIsAcknowledged(t *testing.T) {
	s := newStage(t)
	r := s.owner(1, 2)
	first := s.table.commit(1, event("BatchCreated", "CHAIR", "first"))
	second := s.table.commit(2, event("BatchCreated", "CHAIR", "second"), event("BatchCreated", "CHAIR", "third"), event("BatchCreated", "LAMP", "other"))
	r.Publish(2, second)
	require.Equal(t, []string{"other"}, subjects(s.read(events, 1)), "another key passes")
	require.Equal(t, 1, r.DeferredKeys())
	published, _ := r.Published(2)
	require.Zero(t, published, "only what is contiguous counts")
	r.Publish(1, first)
	s.flush(r)
	requireFirstInOrder(t, s.readAll(events))
	require.Zero(t, r.DeferredKeys())
}

func TestRelay_holdsForAnotherProcess(t *testing.T) {
	s := newStage(t)
	r := s.owner(2)
	s.table.commit(1, event("BatchCreated", "CHAIR", "first"))
	r.Publish(2, s.table.commit(2, event("BatchCreated", "CHAIR", "second"), event("BatchCreated", "LAMP", "other")))
	require.Equal(t, []int32{1}, <-s.table.nudged)
	require.Equal(t, []int32{1}, <-s.table.nudged, "asked again: the first may be lost")
	require.Equal(t, []string{"other"}, subjects(s.readAll(events)))

	s.owner(1)
	s.flush(r)
	requireFirstInOrder(t, s.readAll(events))
	require.Len(t, s.readAll(events), 3)
}

func TestRelay_asksTheTableWhenThePredecessorsSourceIsLost(t *testing.T) {
	s := newStage(t)
	gate := s.gateProduce(events)
	r := s.owner(1, 2)
	r.Publish(1, s.table.commit(1, event("BatchCreated", "CHAIR", "first")))
	gate.waitBlocked(s.ctx)
	r.Publish(2, s.table.commit(2, event("BatchCreated", "CHAIR", "second")))
	s.await(func() bool { return r.DeferredKeys() > 0 })
	require.Empty(t, s.table.nudged, "memory decides while the source is open here")
	s.table.own(1, nil)
	r.Close(1)
	require.Equal(t, []int32{1}, <-s.table.nudged)
	s.table.mu.Lock()
	s.table.frozen[1] = 1
	s.table.mu.Unlock()
	gate.open()
	s.flush(r)
}

func TestRelay_failedPublishDrainsFromTheTable(t *testing.T) {
	s := newStage(t)
	retried := make(chan string, 1000)
	r := s.relay(func(o *Options) { o.Metrics.Retried = func(_, reason string) { retried <- reason } })
	s.open(r, 1, 0)
	fault := s.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: events, Err: kerr.TopicAuthorizationFailed, Count: -1})
	r.Publish(1, s.table.commit(1, numbered("BatchCreated", "CHAIR", 0, 500)...))
	require.Equal(t, "TOPIC_AUTHORIZATION_FAILED", <-retried)
	require.ErrorIs(t, r.Err(), kerr.TopicAuthorizationFailed)
	require.ErrorContains(t, r.Err(), events)
	r.Publish(1, s.table.commit(1, numbered("BatchCreated", "CHAIR", 500, 500)...))
	fault.Remove()
	s.flush(r)
	require.NoError(t, r.Err())
	require.EqualValues(t, 1000, requireFirstInOrder(t, s.readAll(events))["CHAIR"])
	require.Positive(t, s.table.readCount())
	require.Equal(t, tally{}, s.used(r))
}

func TestRelay_rowInOneOfItsTwoTopicsIsNotPublished(t *testing.T) {
	s := newStage(t)
	gate := s.gateProduce(routed)
	r := s.owner(1)
	r.Publish(1, s.table.commit(1, event("Allocated", "CHAIR", "o1"), event("BatchCreated", "LAMP", "b1")))
	gate.waitBlocked(s.ctx)
	require.Len(t, s.read(events, 2), 2)
	published, _ := r.Published(1)
	require.Zero(t, published)
	gate.open()
	s.flush(r)
	bare := s.readAll(routed)
	require.Len(t, bare, 1)
	require.Equal(t, `{"orderid":"o1"}`, string(bare[0].Value))
}

func TestRelay_closeIgnoresLateAcknowledgements(t *testing.T) {
	s := newStage(t)
	gate := s.gateProduce(events)
	r := s.owner(1)
	rows := s.table.commit(1, numbered("BatchCreated", "CHAIR", 0, 10)...)
	r.Publish(1, rows)
	gate.waitBlocked(s.ctx)
	r.Close(1)
	_, ok := r.Published(1)
	require.False(t, ok)
	require.ErrorIs(t, r.Flush(s.ctx, 1), ErrNotOpen)
	require.EqualValues(t, 10, s.used(r).rows, "in flight")

	s.table.fail(errors.New("away"))
	s.open(r, 1, 0)
	gate.open()
	s.read(events, 10)
	fence(r.producer.Load().client)
	published, ok := r.Published(1)
	require.True(t, ok)
	require.Zero(t, published, "the old incarnation's records do not count")
	s.table.fail(nil)
	s.flush(r)
	require.Equal(t, tally{}, s.used(r))
}

// The rows of an applier are bounded. One that hands over many does not make others wait.
func TestRelay_boundsTheRowsOfABudget(t *testing.T) {
	s := newStage(t)
	gate := s.gateProduce(events)
	r := s.relay(func(o *Options) { o.MaxRows = 10 })
	s.open(r, 1, 0)
	other := r.NewBudget()
	r.Open(sourceOf(2), other, 0, 0)
	require.NoError(t, s.budgets[r].Wait(s.ctx))
	r.Publish(1, s.table.commit(1, numbered("BatchCreated", "CHAIR", 0, 25)...))
	r.Publish(2, s.table.commit(2, numbered("BatchCreated", "LAMP", 0, 5)...))
	gate.waitBlocked(s.ctx)
	require.Equal(t, int64(25), s.used(r).rows)
	require.Equal(t, int64(5), other.now().rows)
	ended, cancel := context.WithCancel(s.ctx)
	cancel()
	require.ErrorIs(t, s.budgets[r].Wait(ended), context.Canceled)
	require.NoError(t, other.Wait(s.ctx))
	gate.open()
	require.NoError(t, s.budgets[r].Wait(s.ctx))
	s.flush(r)
	require.Equal(t, tally{}, other.now())
}

// A source with much to publish has only so much in flight, and goes on when half of that is
// acknowledged.
func TestRelay_boundsWhatASourceHasInFlight(t *testing.T) {
	s := newStage(t)
	gate := s.gateProduce(events)
	r := s.relay(func(o *Options) { o.Envelope.Routes = nil })
	s.open(r, 1, 0)
	r.Publish(1, s.table.commit(1, numbered("BatchCreated", "CHAIR", 0, 3*maxInFlight)...))
	source := r.source(1)
	s.await(func() bool {
		source.mu.Lock()
		defer source.mu.Unlock()
		require.LessOrEqual(t, source.inFlight, maxInFlight)
		return source.throttled
	})
	gate.open()
	s.flush(r)
	require.Equal(t, map[string]int64{"CHAIR": 3 * maxInFlight}, requireFirstInOrder(t, s.readAll(events)))
}

// Sources that wait for each other's rows must not wait for each other's budget.
func TestRelay_drainsBeyondItsBudget(t *testing.T) {
	s := newStage(t)
	s.table.chunk = 7
	for i := range 300 {
		s.table.commit(int32(1+i%3), event("BatchCreated", "K"+strconv.Itoa(i%5), strconv.Itoa(i)))
	}
	r := s.relay(func(o *Options) { o.MaxRows = 3 })
	for id := range int32(3) {
		s.open(r, 3-id, 0)
	}
	s.flush(r)
	records := s.readAll(events)
	require.Len(t, records, 300)
	requireFirstInOrder(t, records)
	require.Equal(t, tally{}, s.used(r))
}

func TestRelay_missingTopicIsWaitedFor(t *testing.T) {
	s := newStage(t, kfake.SeedTopics(1, deadLetters))
	r := s.owner(1)
	r.Publish(1, s.table.commit(1, numbered("BatchCreated", "CHAIR", 0, 10)...))
	s.await(func() bool { return r.Err() != nil })
	require.ErrorIs(t, r.Err(), kerr.UnknownTopicOrPartition)
	require.ErrorContains(t, r.Err(), events)
	require.NoError(t, s.kafka.CreateTopic(events, 3, nil))
	s.flush(r)
	s.await(func() bool { return r.Err() == nil })
	requireFirstInOrder(t, s.readAll(events))
}

func TestRelay_topicThatWasMadeAgainTakesEvents(t *testing.T) {
	s := newStage(t)
	r := s.owner(1)
	r.Publish(1, s.table.commit(1, event("BatchCreated", "CHAIR", "first")))
	s.flush(r)
	s.await(func() bool { return r.watcher.knows(events) })
	require.NoError(t, s.kafka.DeleteTopic(events))
	require.NoError(t, s.kafka.CreateTopic(events, 2, nil))
	r.Publish(1, s.table.commit(1, event("BatchCreated", "CHAIR", "second")))
	s.flush(r)
	require.Equal(t, []string{"second"}, subjects(s.readAll(events)))
}

func TestRelay_lostProducerIDIsReplaced(t *testing.T) {
	s := newStage(t)
	fault := s.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.ClusterAuthorizationFailed, Count: 3})
	r := s.owner(1)
	r.Publish(1, s.table.commit(1, numbered("BatchCreated", "CHAIR", 0, 10)...))
	s.flush(r)
	require.EqualValues(t, 3, fault.Hits())
	require.EqualValues(t, 10, requireFirstInOrder(t, s.readAll(events))["CHAIR"])
}

func TestRelay_tooLargeDeadLetterLosesItsValueAndNothingElseWaits(t *testing.T) {
	s := newStage(t, kfake.SeedTopics(2, events, routed))
	limit := strconv.Itoa(2 << 20)
	require.NoError(t, s.kafka.CreateTopic(deadLetters, 1, map[string]string{"max.message.bytes": limit}))
	r := s.relay(func(o *Options) { o.Kafka = append(o.Kafka, kgo.ProducerBatchCompression(kgo.NoCompression())) })
	s.open(r, 1, 0)
	large, headers := deadLetter(3<<20), deadLetter(5)
	headers.DeadLetter.Headers = []Header{{Key: "big", Value: make([]byte, 3<<20)}}
	r.Publish(1, s.table.commit(1, deadLetter(10), large, event("BatchCreated", "CHAIR", "b1"), deadLetter(1500<<10), headers, deadLetter(20)))
	s.flush(r)
	require.NoError(t, r.Err())
	byOffset := map[string]*kgo.Record{}
	for _, record := range s.readAll(deadLetters) {
		byOffset[header(record, "dlq-original-offset")] = record
	}
	require.Len(t, byOffset, 5)
	require.Len(t, byOffset["0"].Value, 10)
	require.Nil(t, byOffset["1"].Value)
	require.Equal(t, strconv.Itoa(3<<20), header(byOffset["1"], "dlq-value-bytes"))
	require.Equal(t, "v", header(byOffset["1"], "h"))
	require.Len(t, byOffset["3"].Value, 1500<<10, "the topic has room for it")
	require.Nil(t, byOffset["4"].Key)
	require.Equal(t, "malformed", header(byOffset["4"], "dlq-reason"))
	require.Equal(t, strconv.Itoa(3+3<<20), header(byOffset["4"], "dlq-headers-bytes"))
	require.Len(t, byOffset["5"].Value, 20)
	require.Equal(t, []string{"b1"}, subjects(s.readAll(events)))
	require.Zero(t, s.table.readCount())
}

func TestRelay_rowsMissingInBetweenAreReadFromTheTable(t *testing.T) {
	s := newStage(t)
	r := s.owner(1)
	s.table.commit(1, numbered("BatchCreated", "CHAIR", 0, 3)...)
	r.Publish(1, s.table.commit(1, numbered("BatchCreated", "CHAIR", 3, 3)...))
	s.flush(r)
	require.EqualValues(t, 6, requireFirstInOrder(t, s.readAll(events))["CHAIR"])
	require.Equal(t, tally{}, s.used(r))
}

// Of what is handed over counts how long it waits, however old its command is: a backlog of
// commands is no backlog of events.
func TestRelay_oldestUnpublished(t *testing.T) {
	s := newStage(t)
	start := time.Now()
	old, young := event("BatchCreated", "CHAIR", "old"), event("BatchCreated", "LAMP", "young")
	old.Cause, young.Cause = &Cause{Time: 1000}, &Cause{Time: 2000}
	s.table.commit(1, old)
	gate := s.gateProduce(events)
	r := s.relay()
	_, ok := r.OldestUnpublished()
	require.False(t, ok)
	s.open(r, 1, 0)
	r.Publish(1, s.table.commit(1, young))
	gate.waitBlocked(s.ctx)
	since, ok := r.OldestUnpublished()
	require.True(t, ok)
	require.Equal(t, time.UnixMilli(1000), since, "of a row that was committed before, the command's")
	gate.open()
	s.flush(r)
	_, ok = r.OldestUnpublished()
	require.False(t, ok)
	gate = s.gateProduce(events)
	r.Publish(1, s.table.commit(1, young))
	gate.waitBlocked(s.ctx)
	since, ok = r.OldestUnpublished()
	require.True(t, ok)
	require.WithinRange(t, since, start, time.Now())
	gate.open()
	s.flush(r)
}

func TestRelay_leavesNothingWhenItEnds(t *testing.T) {
	s := newStage(t)
	s.table.commit(9, event("BatchCreated", "LAMP", "elsewhere"))
	gate := s.gateProduce(events)
	r := s.owner(1)
	r.Publish(1, s.table.commit(1, event("BatchCreated", "CHAIR", "first"), event("BatchCreated", "LAMP", "held"), deadLetter(3<<20)))
	gate.waitBlocked(s.ctx)
	s.ends[r]()
	gate.open()
	r.Open(sourceOf(1), s.budgets[r], 0, 0)
	r.Publish(1, nil)
	require.ErrorIs(t, r.Flush(s.ctx, 1), ErrNotOpen)
}

func TestRelay_refusesWrongOptions(t *testing.T) {
	t.Parallel()
	_, err := NewRelay(Options{Envelope: Envelope{Routes: map[string]string{"Allocated": ""}}})
	for _, mistake := range []string{"no events topic", "no event source", "no dead-letter topic", "no consumer group", "route of Allocated", "no table", "0 rows", "0 bytes"} {
		require.ErrorContains(t, err, mistake)
	}
}
