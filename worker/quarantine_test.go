package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
	"allocation/store"
	"allocation/worker"
)

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// awaitQuarantine waits until the member has so many partitions in quarantine, and has said why.
func (p *pipeline) awaitQuarantine(m *member, partitions int, why string) {
	p.t.Helper()
	testbed.Eventually(p.t, func() bool { return m.gauge("partitions_quarantined") == float64(partitions) })
	if partitions > 0 {
		require.Regexp(p.t, why, p.log.String())
		require.Contains(p.t, p.log.String(), "test offsets ")
	}
	// A broker that was started again must be back; a quarantine is no reason not to be ready.
	testbed.Eventually(p.t, func() bool { return len(m.NotReady(p.t.Context())) == 0 })
	testbed.Eventually(p.t, func() bool { return len(m.Notes()) == partitions })
}

func (p *pipeline) store() *store.Store {
	p.t.Helper()
	s, err := store.Open(p.t.Context(), store.Options{Service: counters.Service, URL: p.database})
	require.NoError(p.t, err)
	p.t.Cleanup(s.Close)
	return s
}

// decide has an operator set a position: to `to`, or where nothing of the log is skipped or applied
// twice.
func (p *pipeline) decide(partition int32, to int64) {
	p.t.Helper()
	s := p.store()
	views, err := s.Positions(p.t.Context())
	require.NoError(p.t, err)
	topics, err := worker.ListTopics(p.t.Context(), p.client, p.commands)
	require.NoError(p.t, err)
	answers := worker.Ask(p.t.Context(), p.client, topics, func(worker.TopicPartition) bool { return true })
	for _, v := range views {
		name := worker.TopicPartition{Topic: v.Topic, Partition: v.Partition}
		if v.Retired || v.Topic != p.commands || v.Partition != partition {
			continue
		}
		answers.Compare(p.t.Context(), p.client, map[worker.TopicPartition]worker.Position{name: v.Position()})
		require.Empty(p.t, answers.Silent)
		if to == accept {
			to = answers.Logs[name].GoOn(v.Position())
		}
		_, err := s.DecideOffsets(p.t.Context(), []store.OffsetDecision{{Action: "reset", Source: v.Source, TopicID: answers.Logs[name].TopicID, Resume: &to, Why: "test"}})
		require.NoError(p.t, err)
	}
}

const accept = -1

func (p *pipeline) deleteRecords(partition int32, below int64) {
	p.t.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(p.commands, partition, below, -1)
	deleted, err := kadm.NewClient(p.client).DeleteRecords(p.t.Context(), offsets)
	require.NoError(p.t, err)
	require.NoError(p.t, deleted.Error())
}

// sendNames gives names, from a number on, to a counter of the partition's own, each in a batch of
// records of its own.
func (p *pipeline) sendNames(partition int32, from, n int) {
	p.t.Helper()
	for i := from; i < from+n; i++ {
		p.send(partition, create(keyOf(partition), fmt.Sprintf("p%d-n%d", partition, i), 1))
	}
}

// keyOf is the key of the partition's own counter.
func keyOf(partition int32) string { return fmt.Sprintf("key%d", partition) }

// awaitName waits for the event of a name.
func (p *pipeline) awaitName(partition int32, n int) {
	p.t.Helper()
	p.awaitSubject(fmt.Sprintf("p%d-n%d", partition, n))
}

// awaitSubject waits for an event with this subject.
func (p *pipeline) awaitSubject(subject string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer cancel()
	for {
		for _, r := range p.got {
			if header(r, "ce_subject") == subject {
				return
			}
		}
		p.consumer.PollFetches(ctx).EachRecord(func(r *kgo.Record) { p.got = append(p.got, r) })
		require.NoError(p.t, ctx.Err(), "no event of %s", subject)
	}
}

func TestPromise8_recordsDeletedBeforeTheyWereApplied(t *testing.T) {
	p := setup(t, 2)
	m := p.start()
	p.sendNames(0, 0, 3)
	p.sendNames(1, 0, 3)
	p.awaitCommitted(map[int32]int64{0: 3, 1: 3})
	require.NoError(t, m.stop())
	p.sendNames(0, 3, 3)
	p.deleteRecords(0, 5)

	m = p.start()
	p.awaitQuarantine(m, 1, "position 3 is before the start of the log, 5")
	p.sendNames(1, 3, 1)
	p.awaitName(1, 3) // the other goes on
	require.NoError(t, m.stop())
	m = p.start()
	p.awaitQuarantine(m, 1, "position 3 is before the start of the log, 5")

	p.decide(0, accept)
	p.awaitName(0, 5)
	p.awaitQuarantine(m, 0, "")
	p.awaitCommitted(map[int32]int64{0: 6, 1: 4})
	p.checkNames([]string{"p0-n0", "p0-n1", "p0-n2", "p0-n5", "p1-n0", "p1-n1", "p1-n2", "p1-n3"})
}

// A transaction that stays open keeps records from being fetched until they are deleted.
func TestPromise8_recordsDeletedWhileTheWorkerRuns(t *testing.T) {
	p := setup(t, 2)
	m := p.start()
	p.sendNames(0, 0, 3)
	p.awaitCommitted(map[int32]int64{0: 3})
	open := p.kafka(kgo.TransactionalID(p.commands), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, open.BeginTransaction())
	require.NoError(t, open.ProduceSync(t.Context(), &kgo.Record{Topic: p.commands, Value: []byte("open")}).FirstErr())
	p.sendNames(0, 3, 3)
	p.deleteRecords(0, 5)

	p.awaitQuarantine(m, 1, "position 3 is before the start of the log, 5")
	p.sendNames(1, 0, 1)
	p.awaitName(1, 0)
	require.NoError(t, open.EndTransaction(t.Context(), kgo.TryAbort))
	p.decide(0, accept)
	p.awaitName(0, 5)
	p.awaitQuarantine(m, 0, "")
}

func TestPromise8_aNewPartitionWhoseLogDoesNotStartAtItsBeginning(t *testing.T) {
	p := setup(t, 2)
	p.sendNames(0, 0, 3)
	p.deleteRecords(0, 1)
	m := p.start()
	p.awaitQuarantine(m, 1, "nothing of the partition was applied, and its log does not start at its beginning but at 1")
	p.decide(0, accept)
	p.awaitName(0, 2)
	p.awaitCommitted(map[int32]int64{0: 3})
	p.awaitQuarantine(m, 0, "")
	p.checkNames([]string{"p0-n1", "p0-n2"})
}

func TestPromise8_aPositionAheadOfTheLog(t *testing.T) {
	p := setup(t, 2)
	p.sendNames(0, 0, 3)
	m := p.start()
	p.awaitCommitted(map[int32]int64{0: 3})
	require.NoError(t, m.stop())
	p.execute(`update positions set next_offset = 100 where partition = 0`)
	m = p.start()
	p.awaitQuarantine(m, 1, "position 100 is beyond the end of the log, 3")
	p.decide(0, accept)
	p.sendNames(0, 3, 1)
	p.awaitName(0, 3)
	p.awaitQuarantine(m, 0, "")
}

// execute runs statements in the pipeline's database.
func (p *pipeline) execute(sql string, args ...any) {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.database)
	require.NoError(p.t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(p.t.Context(), sql, args...)
	require.NoError(p.t, err)
}

// recreate deletes the command topic and makes it again.
func (p *pipeline) recreate(partitions int32) {
	p.t.Helper()
	admin := kadm.NewClient(p.client)
	_, err := admin.DeleteTopic(p.t.Context(), p.commands)
	require.NoError(p.t, err)
	var created kadm.CreateTopicResponse
	testbed.Eventually(p.t, func() bool {
		created, err = admin.CreateTopic(p.t.Context(), partitions, -1, nil, p.commands)
		return err == nil
	})
	testbed.Eventually(p.t, func() bool { // until then the broker may take records for the topic of before
		topics, err := admin.ListTopics(p.t.Context(), p.commands)
		return err == nil && topics[p.commands].ID == created.ID
	})
	p.client = p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0)) // the old one refuses the new topic
}

func TestPromise8_aTopicThatWasDeletedAndMadeAgain(t *testing.T) {
	for name, running := range map[string]bool{"while no worker runs": false, "while a worker runs": true} {
		t.Run(name, func(t *testing.T) {
			p := setup(t, 2)
			other := testbed.Topic(t, "other", 1)
			p.topics = []worker.Topic{{Name: other}}
			m := p.start()
			p.sendNames(0, 0, 3)
			p.awaitName(0, 2)
			p.awaitCommitted(map[int32]int64{0: 3})
			if !running {
				require.NoError(t, m.stop())
			}
			p.recreate(2)
			p.sendNames(0, 3, 5)
			if !running {
				p.execute(`update positions set published_row = 1 where partition = 0 and topic = $1`, p.commands)
				m = p.start()
			}
			p.awaitQuarantine(m, 2, "the topic was deleted and made again: its id is .*, the position belongs to")
			p.sendTo(other, 0, create("other", "elsewhere", 1))
			p.awaitCommittedOf(other, 0, 1)

			p.decide(0, accept)
			p.decide(1, accept)
			p.awaitName(0, 7)
			p.awaitQuarantine(m, 0, "")
			p.sendNames(1, 0, 1)
			p.awaitName(1, 0)
			p.awaitCommitted(map[int32]int64{0: 5, 1: 1})
			p.checkIdentities()
		})
	}
}

func (p *pipeline) awaitCommittedOf(topic string, partition int32, want int64) {
	p.t.Helper()
	admin := kadm.NewClient(p.client)
	testbed.Eventually(p.t, func() bool {
		offsets, err := admin.FetchOffsets(p.t.Context(), p.group)
		o, ok := offsets.Lookup(topic, partition)
		return err == nil && ok && o.At == want
	})
}

// checkIdentities wants records with one ce_id to be the same, and different ones not to share it.
func (p *pipeline) checkIdentities() map[string]*kgo.Record {
	p.t.Helper()
	first := map[string]*kgo.Record{}
	for _, r := range p.got {
		id := header(r, "ce_id")
		if id == "" {
			continue
		}
		if before := first[id]; before != nil {
			require.Equal(p.t, before.Headers, r.Headers)
			require.Equal(p.t, string(before.Value), string(r.Value))
		}
		first[id] = r
	}
	return first
}

// awaitDistinct waits until so many events have come, without repeats.
func (p *pipeline) awaitDistinct(n int) {
	p.t.Helper()
	for read := n; len(p.checkIdentities()) < n; read++ {
		p.await(read)
	}
}

// A reset fences the owner, which goes on from the new position by itself. What is applied again
// has no effect, or identities of its own.
func TestPromise8_aPositionIsSetWhileTheWorkerRuns(t *testing.T) {
	p := setup(t, 1)
	m := p.start()
	p.send(0, create("a", "first", 5), add("a", "x"), add("a", "y"), create("a", "second", 1))
	p.awaitDistinct(4)
	p.awaitCommitted(map[int32]int64{0: 4})
	p.decide(0, 1) // what is added is added again
	p.awaitDistinct(6)
	p.awaitCommitted(map[int32]int64{0: 4})
	p.decide(0, 0)
	p.awaitDistinct(8)
	p.send(0, create("a", "p0-n1", 1))
	p.awaitName(0, 1)
	last := p.got[len(p.got)-1]
	require.Equal(t, "0000000000000000009", header(last, "ce_sequence"))
	require.JSONEq(t, `{"key":"a","value":13}`, string(last.Value))
	require.Regexp(t, `\.4\.0$`, header(last, "ce_id"), "what was not applied before is numbered from 0")
	require.Len(t, p.checkIdentities(), 9)
	require.NoError(t, m.stop())
}
