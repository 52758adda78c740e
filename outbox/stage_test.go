package outbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	events      = "allocation.events"
	deadLetters = "warehouse.commands.dlq"
	routed      = "line_allocated"
)

var fastPace = pace{
	first: time.Millisecond, last: 20 * time.Millisecond,
	nudge: time.Millisecond, poll: time.Millisecond, pollMost: 5 * time.Millisecond,
	look: 20 * time.Millisecond, patience: 100 * time.Millisecond, giveUp: 50 * time.Millisecond, probe: 20 * time.Millisecond,
}

// stage is a Kafka cluster and a table; relays on it are processes.
type stage struct {
	t       testing.TB
	ctx     context.Context
	kafka   *kfake.Cluster
	table   *fakeTable
	budgets map[*Relay]*Budget // each relay's one budget
	ends    map[*Relay]func()
}

// newStage is for a test that runs beside others.
func newStage(t *testing.T, opts ...kfake.Opt) *stage {
	t.Helper()
	t.Parallel()
	return stageOn(t, opts...)
}

func stageOn(t testing.TB, opts ...kfake.Opt) *stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	if len(opts) == 0 {
		opts = []kfake.Opt{kfake.SeedTopics(4, events, deadLetters, routed)}
	}
	cluster, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	return &stage{t: t, ctx: ctx, kafka: cluster, table: newFakeTable(), budgets: map[*Relay]*Budget{}, ends: map[*Relay]func(){}}
}

func (s *stage) relay(change ...func(*Options)) *Relay {
	s.t.Helper()
	o := Options{
		Kafka: []kgo.Opt{kgo.SeedBrokers(s.kafka.ListenAddrs()...), kgo.MetadataMinAge(10 * time.Millisecond), kgo.RetryBackoffFn(func(int) time.Duration { return time.Millisecond })},
		Envelope: Envelope{
			TypePrefix:  "allocation.v1.",
			EventsTopic: events, DeadLetterTopic: deadLetters, Source: "/allocation", Group: "allocation",
			Routes: map[string]string{"Allocated": routed},
		},
		Table: s.table, MaxRows: 100_000, MaxBytes: 1 << 30,
	}
	for _, f := range change {
		f(&o)
	}
	r, err := newRelay(o, fastPace)
	require.NoError(s.t, err)
	s.budgets[r] = r.NewBudget()
	ctx, end := context.WithCancel(s.ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	s.ends[r] = func() {
		end()
		<-ended
	}
	s.t.Cleanup(s.ends[r])
	return r
}

// owner is a relay that has sources from their beginning.
func (s *stage) owner(ids ...int32) *Relay {
	s.t.Helper()
	r := s.relay()
	for _, id := range ids {
		s.open(r, id, 0)
	}
	return r
}

// await waits until something holds.
func (s *stage) await(holds func() bool) {
	s.t.Helper()
	for !holds() {
		require.True(s.t, pause(s.ctx, time.Millisecond), "it did not come to be")
	}
}

func (s *stage) used(r *Relay) tally { return s.budgets[r].now() }

// open opens a source as a claim finds it in the table.
func (s *stage) open(r *Relay, id int32, published int64) {
	r.Open(sourceOf(id), s.budgets[r], published, s.table.next(id))
	s.table.own(id, r)
}

func (s *stage) flush(r *Relay, ids ...int32) {
	s.t.Helper()
	require.NoError(s.t, r.Flush(s.ctx, ids...))
}

// read reads n records of a topic from its beginning.
func (s *stage) read(topic string, n int) []*kgo.Record {
	s.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.kafka.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond))
	require.NoError(s.t, err)
	defer client.Close()
	var records []*kgo.Record
	for len(records) < n {
		fetches := client.PollFetches(s.ctx)
		require.NoError(s.t, s.ctx.Err(), "%d of %d records", len(records), n)
		records = append(records, fetches.Records()...)
	}
	return records
}

// readAll reads what is in a topic now.
func (s *stage) readAll(topic string) []*kgo.Record {
	n := int64(0)
	for _, p := range s.kafka.PartitionInfos(topic) {
		n += p.HighWatermark
	}
	return s.read(topic, int(n))
}

func sourceOf(id int32) Source {
	return Source{ID: id, Topic: "warehouse.commands", TopicID: [16]byte{0: 'm', 1: 'y', 15: byte(id)}, Partition: id}
}

func header(r *kgo.Record, key string) string {
	for _, h := range slices.Backward(r.Headers) {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

func subjects(records []*kgo.Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, header(r, "ce_subject"))
	}
	return out
}

// fakeTable is Postgres, for many processes. Owners write their published row whenever they are
// asked.
type fakeTable struct {
	mu      sync.Mutex
	rows    map[int32][]Row
	owners  map[int32]*Relay
	frozen  map[int32]int64 // the published row of owners that do not answer
	last    map[string]lastEvent
	chunk   int
	reads   int
	nudged  chan []int32
	failing error
}

type lastEvent struct {
	row Predecessor
	seq int64
}

func newFakeTable() *fakeTable {
	return &fakeTable{rows: map[int32][]Row{}, owners: map[int32]*Relay{}, frozen: map[int32]int64{}, last: map[string]lastEvent{}, chunk: 100, nudged: make(chan []int32, 10_000)}
}

// commit numbers rows and adds them, as a transaction does.
func (f *fakeTable) commit(id int32, rows ...Row) []Row {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.commitLocked(id, rows)
}

func (f *fakeTable) commitLocked(id int32, rows []Row) []Row {
	for i := range rows {
		row := &rows[i]
		row.Number = int64(len(f.rows[id]))
		row.Offset = row.Number
		if row.DeadLetter == nil && row.Sequence == 0 {
			last := f.last[row.Key]
			if row.Sequence = last.seq + 1; last.row.Source != id {
				row.After = last.row
			}
			f.last[row.Key] = lastEvent{Predecessor{id, row.Number}, row.Sequence}
		}
		f.rows[id] = append(f.rows[id], *row)
	}
	return rows
}

func (f *fakeTable) next(id int32) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(len(f.rows[id]))
}

func (f *fakeTable) own(id int32, r *Relay) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owners[id] = r
}

func (f *fakeTable) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failing = err
}

func (f *fakeTable) readCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}

func (f *fakeTable) Rows(_ context.Context, s Source, from, to int64) ([]Row, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if f.failing != nil {
		return nil, f.failing
	}
	return slices.Clone(f.rows[s.ID][from:min(to, from+int64(f.chunk))]), nil
}

func (f *fakeTable) Published(_ context.Context, ids []int32) (map[int32]int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing != nil {
		return nil, f.failing
	}
	out := maps.Clone(f.frozen)
	for _, id := range ids {
		if r := f.owners[id]; r != nil {
			if row, ok := r.Published(id); ok {
				out[id] = row
			}
		}
	}
	return out, nil
}

func (f *fakeTable) Nudge(_ context.Context, ids []int32) error {
	select {
	case f.nudged <- ids:
	default:
	}
	return nil
}

// event is a row of a key; its subject tells it apart.
func event(kind, key, subject string) Row {
	return Row{
		Type: kind, Key: key, Subject: subject, Value: []byte(`{"orderid":` + strconv.Quote(subject) + `}`),
		Cause: &Cause{CommandID: "cmd-" + subject, Time: 1_795_401_607_123},
	}
}

func deadLetter(size int) Row {
	return Row{
		Cause:      &Cause{Time: 1_795_401_607_123},
		DeadLetter: &DeadLetter{Reason: "malformed", Message: "no", Key: []byte("K"), Value: make([]byte, size), Headers: []Header{{Key: "h", Value: []byte("v")}}},
	}
}

// requireFirstInOrder checks that the first appearances of each key's events are in sequence order
// and without gaps.
func requireFirstInOrder(t testing.TB, records []*kgo.Record) map[string]int64 {
	t.Helper()
	last := map[string]int64{}
	for _, r := range records {
		seq, err := strconv.ParseInt(header(r, "ce_sequence"), 10, 64)
		require.NoError(t, err)
		if seq > last[string(r.Key)] {
			require.Equal(t, last[string(r.Key)]+1, seq, "first appearance of key %s in partition %d at offset %d", r.Key, r.Partition, r.Offset)
			last[string(r.Key)] = seq
		}
	}
	return last
}

func numbered(kind, key string, from, n int) []Row {
	rows := make([]Row, n)
	for i := range rows {
		rows[i] = event(kind, key, fmt.Sprintf("%s-%d", key, from+i))
	}
	return rows
}
