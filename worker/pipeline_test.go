package worker_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
	"allocation/outbox"
	"allocation/outbox/pulse"
	"allocation/store"
	"allocation/worker"
)

// typePrefix stands before the names of commands and events.
const typePrefix = "counters.v1."

// pipeline is everything between a command topic and an events topic of the service that keeps
// counters, on real servers.
type pipeline struct {
	t        *testing.T
	brokers  string
	database string
	commands string
	events   string
	letters  string
	group    string
	client   *kgo.Client // produces commands
	consumer *kgo.Client // reads events and dead letters
	got      []*kgo.Record
	asking   *pgx.Conn // answers the test's questions; nil before the first

	topics    []worker.Topic    // more command topics; set before a worker starts
	routes    map[string]string // topics of event types
	others    map[string]outbox.Destination
	log       lockedBuffer
	maxBatch  int
	catchUp   time.Duration // as in worker.Config
	session   time.Duration // 0: 6 s
	stall     time.Duration // 0: 10 s
	patience  time.Duration // with parts that stand still; 0: the usual
	attentive bool          // makes workers that look often at what nobody tells them
	latest    bool          // topics without a position begin at their end
	options   []kgo.Opt     // more of the worker's client
	refused   func()        // as in worker.Config
	later     []string      // as in worker.Config
	wait      time.Duration // for newer workers; 0: none
}

func setup(t *testing.T, partitions int32) *pipeline {
	t.Helper()
	t.Parallel()
	return (&pipeline{
		t: t, brokers: testbed.Kafka(t), database: testbed.Migrated(t), maxBatch: 2000,
		commands: testbed.Topic(t, "commands", partitions), events: testbed.Topic(t, "events", partitions), letters: testbed.Topic(t, "letters", 1),
	}).connect()
}

// connect makes the tables of the service and opens the clients.
func (p *pipeline) connect() *pipeline {
	p.t.Helper()
	p.group = "group-" + p.commands
	p.execute(counters.Tables)
	p.client = p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	p.consumer = p.kafka(kgo.ConsumeTopics(p.events, p.letters), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(250*time.Millisecond))
	return p
}

func (p *pipeline) kafka(opts ...kgo.Opt) *kgo.Client {
	p.t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(p.brokers, ",")...), kgo.MetadataMinAge(100*time.Millisecond))...)
	require.NoError(p.t, err)
	p.t.Cleanup(client.Close)
	return client
}

// member is a running worker.
type member struct {
	*worker.Worker
	metrics *prometheus.Registry
	parts   *pulse.Parts
	stop    func() error // gracefully; may be called twice
}

func (p *pipeline) start() *member {
	return p.startWith(func(s worker.Store) worker.Store { return s })
}

// startWith runs a worker whose store was wrapped.
func (p *pipeline) startWith(wrap func(worker.Store) worker.Store) *member {
	p.t.Helper()
	seeds := []kgo.Opt{kgo.SeedBrokers(strings.Split(p.brokers, ",")...), kgo.MetadataMinAge(100 * time.Millisecond)}
	logger := slog.New(slog.NewTextHandler(io.MultiWriter(p.t.Output(), &p.log), nil))
	service := counters.Service
	service.Later = p.later
	db, err := store.Open(p.t.Context(), store.Options{Service: service, URL: p.database, Owner: fmt.Sprint("test ", time.Now().UnixNano())})
	require.NoError(p.t, err)
	relay, err := outbox.NewRelay(outbox.Options{
		Kafka: seeds, Table: db, Logger: logger, MaxRows: 32_000, MaxBytes: 32 << 20,
		Envelope: outbox.Envelope{TypePrefix: typePrefix, EventsTopic: p.events, DeadLetterTopic: p.letters, Source: "/allocation", Group: p.group, Routes: p.routes, Commands: p.others},
	})
	require.NoError(p.t, err)
	metrics := prometheus.NewRegistry()
	counts := worker.NewMetrics(metrics)
	counts.Parts.Patience = cmp.Or(p.patience, pulse.Patience)
	newWorker := worker.New
	if p.attentive {
		newWorker = worker.NewAttentive
	}
	w, err := newWorker(worker.Config{
		Kafka: append(slices.Clip(seeds), p.options...), Group: p.group, Topics: append([]worker.Topic{{Name: p.commands}}, p.topics...), SessionTimeout: cmp.Or(p.session, 6*time.Second),
		TypePrefix: typePrefix, Later: p.later, WaitForNewer: p.wait, Service: "test", Appliers: 2, MaxBatch: p.maxBatch, CatchUpTime: p.catchUp, StartLatest: p.latest,
		StallTimeout: cmp.Or(p.stall, 10*time.Second), ShutdownTimeout: 20 * time.Second, Logger: logger, Metrics: counts, Refused: p.refused,
	}, wrap(db), relay)
	require.NoError(p.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	relaying, endRelay := context.WithCancel(context.Background())
	var relayed sync.WaitGroup
	relayed.Go(func() { relay.Run(relaying) })
	m := &member{Worker: w, metrics: metrics, parts: counts.Parts, stop: sync.OnceValue(func() error {
		cancel()
		err := <-ended
		endRelay()
		relayed.Wait()
		db.Close()
		return err
	})}
	p.t.Cleanup(func() { _ = m.stop() })
	return m
}

// command is a record in binary mode.
func command(kind, format string, args ...any) *kgo.Record {
	return &kgo.Record{Value: fmt.Appendf(nil, format, args...), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte(typePrefix + kind)}}}
}

// create gives a counter a name, which is the subject of its event.
func create(key, name string, n int) *kgo.Record {
	return command("Make", `{"key":%q,"name":%q,"n":%d}`, key, name, n)
}

// add adds one to a counter. The name is the subject of its event.
func add(key, name string) *kgo.Record {
	return command("Add", `{"key":%q,"name":%q,"n":1}`, key, name)
}

// send sends commands to a partition, one after the other.
func (p *pipeline) send(partition int32, commands ...*kgo.Record) {
	p.t.Helper()
	p.sendTo(p.commands, partition, commands...)
}

// sendTo sends commands to a topic's partition.
func (p *pipeline) sendTo(topic string, partition int32, commands ...*kgo.Record) {
	p.t.Helper()
	for _, r := range commands {
		r.Topic, r.Partition = topic, partition
	}
	require.NoError(p.t, p.client.ProduceSync(p.t.Context(), commands...).FirstErr())
}

// await reads until so many events and dead letters have come.
func (p *pipeline) await(n int) []*kgo.Record {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer cancel()
	for len(p.got) < n {
		p.consumer.PollFetches(ctx).EachRecord(func(r *kgo.Record) { p.got = append(p.got, r) })
		require.NoError(p.t, ctx.Err(), "%d of %d records came", len(p.got), n)
	}
	return p.got
}

// header is a header's value; of a repeated one the last counts.
func header(r *kgo.Record, key string) string {
	for _, h := range slices.Backward(r.Headers) {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// awaitCommitted waits until the group's committed offsets are these, by partition.
func (p *pipeline) awaitCommitted(want map[int32]int64) {
	p.t.Helper()
	for partition, at := range want {
		p.awaitCommittedOf(p.commands, partition, at)
	}
}

// awaitApplied waits until the database has applied partition 0 up to an offset, and a reporter has
// had the time to tell.
func (p *pipeline) awaitApplied(offset int64) {
	p.t.Helper()
	testbed.Eventually(p.t, func() bool {
		return p.number(`select count(*) from positions where partition = 0 and next_offset >= $1 and moved_at < now() - interval '3 s'`, offset) == 1
	})
}
