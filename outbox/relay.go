package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"
)

// ErrNotOpen is returned by Flush for a source that is not open, or was closed while it waited.
var ErrNotOpen = errors.New("source is not open")

// Relay publishes the committed rows of open sources. Its methods are safe for use by several
// goroutines, but the calls of Open, Publish and Close for one source must come in order.
type Relay struct {
	envelope Envelope
	kafka    []kgo.Opt
	table    Table
	metrics  Metrics
	tracer   trace.Tracer // nil: tracing is off
	pace     pace
	maxRows  int64
	maxBytes int64
	ctx      context.Context // ends with Run
	end      context.CancelFunc

	health       *health
	waits        waits
	poller       *poller
	alone        map[string]*alone // by topic
	watcher      *watcher
	producer     atomic.Pointer[producer]
	deferredKeys atomic.Int64
	deliveries   sync.Pool // that were acknowledged

	mu      sync.RWMutex
	sources map[int32]*source
	stopped bool
}

// NewRelay makes a relay and its Kafka client. It does not connect before Run. The errors are all
// mistakes in the options.
func NewRelay(o Options) (*Relay, error) { return newRelay(o, defaultPace) }

func newRelay(o Options, p pace) (*Relay, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, end := context.WithCancel(context.Background())
	r := &Relay{
		envelope: o.Envelope, kafka: o.Kafka, table: o.Table, metrics: o.Metrics, tracer: o.Tracer, pace: p, ctx: ctx, end: end,
		maxRows: int64(o.MaxRows), maxBytes: o.MaxBytes,
		health:  newHealth(&o.Envelope, o.Logger, o.Metrics, p.patience),
		waits:   waits{by: map[int32]map[*source]int64{}},
		sources: map[int32]*source{}, alone: map[string]*alone{},
	}
	producer, err := newProducer(o.Kafka, &r.envelope, r.health)
	if err != nil {
		end()
		return nil, fmt.Errorf("outbox: %w", err)
	}
	r.producer.Store(producer)
	r.poller, r.watcher = newPoller(r), newWatcher(r)
	r.poller.part, r.watcher.part = o.Parts.Add("published rows of others"), o.Parts.Add("acknowledgements")
	for topic, state := range r.health.topics {
		r.alone[topic] = newAlone(r, state)
	}
	return r, nil
}

// Run publishes until the context ends. Then it closes all sources and the client, without
// flushing, and returns when all goroutines have ended. It is called once.
func (r *Relay) Run(ctx context.Context) {
	var asking, alone sync.WaitGroup
	asking.Go(func() { r.poller.run(r.ctx) })
	asking.Go(func() { r.watcher.run(r.ctx) })
	for _, a := range r.alone {
		alone.Go(a.run)
	}
	<-ctx.Done()
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.end()
	r.Close(r.open()...)
	asking.Wait()
	r.producer.Load().close()
	alone.Wait()
}

// NewBudget makes a budget of the size that the options say.
func (r *Relay) NewBudget() *Budget { return &Budget{maxRows: r.maxRows, maxBytes: r.maxBytes} }

// Open begins to publish a source that was claimed: first the rows [published, next) from the
// table, then what Publish hands over. Its rows count in the budget. It returns at once.
// An older incarnation of the source is closed.
func (r *Relay) Open(source Source, budget *Budget, published, next int64) {
	r.Close(source.ID)
	s := newSource(r, source, budget, published, next)
	r.mu.Lock()
	if r.stopped {
		r.mu.Unlock()
		return
	}
	r.sources[source.ID] = s
	r.mu.Unlock()
	go s.run()
	r.announce(s)
}

// Publish takes committed rows over, numbered on from those known. It does not wait: ask the
// source's budget first. The rows are not to be changed afterwards. A source that is not open is
// left alone: its new owner reads the rows from the table.
func (r *Relay) Publish(id int32, rows []Row) {
	if s := r.source(id); s != nil && len(rows) > 0 {
		s.hand(rows)
	}
}

// Close forgets sources that were revoked, lost or fenced. What is in flight may still arrive, as
// repeats, and counts for nothing. It returns when their goroutines have ended.
func (r *Relay) Close(ids ...int32) {
	for _, id := range ids {
		r.mu.Lock()
		s := r.sources[id]
		delete(r.sources, id)
		r.mu.Unlock()
		if s != nil {
			s.close()
			r.poller.kick() // what waits for this source must ask the table now
		}
	}
}

// Published gives the row below which all are acknowledged, in all of their topics. It is not ok
// when the source is not open.
func (r *Relay) Published(id int32) (row int64, ok bool) {
	s := r.source(id)
	if s == nil {
		return 0, false
	}
	return s.published(), true
}

// Flush waits until all rows that these sources know now are acknowledged; without ids, those of
// all open sources. The error is ErrNotOpen or the context's.
func (r *Relay) Flush(ctx context.Context, ids ...int32) error {
	if len(ids) == 0 {
		ids = r.open()
	}
	for _, id := range ids {
		s := r.source(id)
		if s == nil {
			return ErrNotOpen
		}
		select {
		case <-s.flush():
		case <-s.ctx.Done():
			return ErrNotOpen
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Err is what keeps the relay from publishing any event now, or from reading the table; nil when
// nothing does.
func (r *Relay) Err() error { return r.health.err(time.Now()) }

// Notes say what keeps some records back while events are published.
func (r *Relay) Notes() []string { return r.health.notes(time.Now()) }

// DeferredKeys is how many keys wait for an event of another source.
func (r *Relay) DeferredKeys() int { return int(r.deferredKeys.Load()) }

// OldestUnpublished says about since when the oldest row waits that is not acknowledged: since it
// was handed over, or, where it was read from the table, since its command. It is not ok when there
// is none.
func (r *Relay) OldestUnpublished() (since time.Time, ok bool) {
	for _, id := range r.open() {
		if s := r.source(id); s != nil {
			if t, unpublished := s.oldest(); unpublished && (!ok || t.Before(since)) {
				since, ok = t, true
			}
		}
	}
	return since, ok
}

func (r *Relay) source(id int32) *source {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.sources[id]
}

func (r *Relay) open() []int32 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ids := make([]int32, 0, len(r.sources))
	for id := range r.sources {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
