package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
	"allocation/worker/cloudevents"
)

// Worker is one member of the consumer group.
type Worker struct {
	cfg     Config
	store   Store
	relay   *outbox.Relay
	logger  *slog.Logger
	metrics *Metrics
	spans   *spans
	types   map[string]*cloudevents.Types // by topic
	every   periods

	client   *kgo.Client
	admin    *kadm.Client
	unpacker *unpacker

	kafka     heartbeat
	member    membership
	throttled throttledLog

	mu         sync.Mutex
	freed      *sync.Cond // a partition is no longer busy; uses mu
	partitions map[TopicPartition]*partition
	appliers   []*applier
	wakePoll   context.CancelFunc // interrupts the poll in flight; nil while none is

	failures failureStats // guarded by mu
	arriving *arrival     // guarded by mu; nil: nothing is to be claimed for the first time

	database   [16]byte          // its id; guarded by mu, as the rest here
	replaced   *SharedGroupError // it has another id by now
	nonce      [16]byte          // what this worker wrote into it last
	nonceAt    time.Time
	groupView  groupView
	nonceAsked atomic.Bool
	barred     atomic.Pointer[SharedGroupError] // why nothing may be applied now; nil: it may

	// Kicks, each with a buffer of one.
	ask, redrive, wakeReclaimer, resume, report, watch chan struct{}

	drains  sync.WaitGroup
	watched topicsWatched // guarded by mu

	leaving  context.Context // ends when the worker stops: it claims nothing more
	stopped  context.CancelCauseFunc
	declined atomic.Bool // the group gave it partitions since
}

// New makes a worker. It does not connect before Run; an error is a mistake in the options.
func New(cfg Config, store Store, relay *outbox.Relay) (*Worker, error) {
	return newWorker(cfg, store, relay, periods{watch: watchEvery, measure: measureEvery})
}

func newWorker(cfg Config, store Store, relay *outbox.Relay, every periods) (*Worker, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	w := &Worker{
		cfg: cfg, store: store, relay: relay, every: every, logger: cfg.Logger, metrics: cfg.Metrics,
		throttled:     throttledLog{logger: cfg.Logger},
		spans:         newSpans(cfg.Tracer, cfg.Group),
		types:         make(map[string]*cloudevents.Types, len(cfg.Topics)),
		partitions:    map[TopicPartition]*partition{},
		ask:           make(chan struct{}, 1),
		redrive:       make(chan struct{}, 1),
		wakeReclaimer: make(chan struct{}, 1),
		resume:        make(chan struct{}, 1),
		report:        make(chan struct{}, 1),
		watched:       topicsWatched{ids: map[string][16]byte{}, unknown: map[string]bool{}, hidden: map[string]bool{}},
		watch:         make(chan struct{}, 1),
	}
	w.leaving, w.stopped = context.WithCancelCause(context.Background())
	w.freed = sync.NewCond(&w.mu)
	w.member = membership{logger: cfg.Logger, metrics: cfg.Metrics, access: cfg.Access}
	w.kafka.onBeat = w.member.beat
	for _, t := range cfg.Topics {
		t.Types.Prefix, t.Types.Later = cmp.Or(t.Types.Prefix, cfg.TypePrefix), cfg.Later
		w.types[t.Name] = &t.Types
	}
	for n := range cfg.Appliers {
		w.appliers = append(w.appliers, newApplier(w, n, relay.NewBudget()))
	}
	unpacker, err := newUnpacker()
	if err != nil {
		return nil, err
	}
	w.unpacker = unpacker
	client, err := kgo.NewClient(w.options()...)
	if err != nil {
		return nil, fmt.Errorf("make Kafka consumer: %w", err)
	}
	w.client, w.admin = client, kadm.NewClient(client)
	return w, nil
}

// errStopped is why the parts of a worker end when it is asked to stop.
var errStopped = errors.New("stopped")

// Run joins the group and applies commands until the context ends. Then it finishes the
// transactions in flight, waits until their events are acknowledged, reports the positions, leaves
// the group, and returns nil; or an error if that took longer than the shutdown timeout. It claims
// nothing that the group gives it meanwhile. A *SharedGroupError says that the group belongs to
// another database, and was not joined. It is called once.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.admit(ctx); err != nil {
		w.client.Close()
		return err
	}
	stop, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	abort, abandon := context.WithCancel(context.WithoutCancel(ctx)) // work in flight outlives the request to stop
	defer abandon()

	// Reports go on while events are flushed: others may wait for what this worker publishes, and
	// it for them.
	report, endReports := context.WithCancel(abort)
	defer endReports()

	var parts, reports sync.WaitGroup
	for _, a := range w.appliers {
		parts.Go(func() { a.run(stop, abort) })
	}
	for _, part := range []func(context.Context){w.runReclaimer, w.runAsker, w.runRedriver, w.runWatch, w.runFetchWatch, w.runMeasure} {
		parts.Go(func() { part(stop) })
	}
	reports.Go(func() { w.runReporter(report) })
	reports.Go(func() { w.runListener(report) })
	w.client.AddConsumeTopics(w.topics()...) // joins the group
	w.poll(stop)
	cancel(errStopped)
	w.stopped(errStopped)
	w.logger.Info("stopping: what is in flight ends, and nothing more is claimed")

	deadline, done := context.WithTimeout(abort, w.cfg.ShutdownTimeout)
	defer done()
	end := context.AfterFunc(deadline, abandon)
	defer end()
	parts.Wait()
	flushed := w.flush(deadline)
	endReports()
	reports.Wait()
	return w.leave(deadline, flushed)
}

// stuckAfter is for how long no event is acknowledged to a worker that stops, before it is taken
// to wait for others' events.
const stuckAfter = time.Second

// Has reports whether the worker has a partition.
func (w *Worker) Has(name TopicPartition) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.partitions[name] != nil
}

// flush waits until all events are acknowledged, except those of partitions that move meanwhile:
// their next owner publishes them. Those that are left may have to follow events of the partitions
// that the group gave this worker, which another publishes as soon as this one leaves.
func (w *Worker) flush(ctx context.Context) error {
	for {
		before := w.publishedRows()
		round, done := context.WithTimeout(ctx, stuckAfter)
		err := w.relay.Flush(round, w.sources()...)
		done()
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case errors.Is(err, outbox.ErrNotOpen) || !w.declined.Load():
			continue
		case w.relay.Err() == nil && w.publishedRows() == before:
			w.logger.Info("leaving with events unacknowledged, which follow those of other partitions: the next owner publishes them")
			return nil
		}
	}
}

// publishedRows is how many rows this worker's sources have had acknowledged.
func (w *Worker) publishedRows() (rows int64) {
	for _, id := range w.sources() {
		row, _ := w.relay.Published(id)
		rows += row
	}
	return rows
}

// leave reports what is published, and leaves the group; revoking every partition does the rest.
// flushed says why not everything is.
func (w *Worker) leave(ctx context.Context, flushed error) error {
	w.reportOnce(ctx)
	err := w.client.LeaveGroupContext(ctx)
	w.closeAll()
	w.client.CloseAllowingRebalance()
	w.drains.Wait()
	if flushed != nil {
		return fmt.Errorf("stop: committed events are not all acknowledged, the next owner publishes them: %w", flushed)
	}
	if err != nil {
		return fmt.Errorf("leave group: %w", err)
	}
	return nil
}

// sources are those that the relay publishes.
func (w *Worker) sources() (ids []int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		if p.publishes() {
			ids = append(ids, p.claim.Source.ID)
		}
	}
	return ids
}

func (w *Worker) closeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.partitions {
		w.close(p)
	}
}

// typesOfParked are the types of a parked record. Its topic may have left the configuration. Then
// an event that is taken from another topic now was taken from that one, and all else is a command.
func (w *Worker) typesOfParked(topic string, r *kgo.Record) *cloudevents.Types {
	if t := w.types[topic]; t != nil {
		return t
	}
	for _, t := range w.types {
		if m := cloudevents.Read(r, t, &outbox.Cause{}); m.Taken {
			return t
		}
	}
	return &cloudevents.Types{Prefix: w.cfg.TypePrefix, Later: w.cfg.Later}
}
