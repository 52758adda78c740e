package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/outbox"
	"allocation/store"
	"allocation/worker"
)

// Settings are a worker's settings, without mistakes.
type Settings struct {
	Name     string        // of the service, for Kafka, metrics and traces
	Service  store.Service // whose commands it applies
	Kafka    config.Kafka
	Database config.Database
	URL      string // of the database, where it is not database's
	Topics   config.Topics
	Group    config.GroupSettings
	Tuning   config.TuningSettings
	Hooks    Hooks
}

// Hooks exchange parts of a worker, for tests and for faults on purpose. What is nil or zero leaves
// the part as it is.
type Hooks struct {
	Kafka      []kgo.Opt                       // more options of every Kafka client
	AdjustPool func(*pgxpool.Config)           // changes how Postgres is reached
	WrapStore  func(worker.Store) worker.Store // between the worker and the database
	WrapTable  func(outbox.Table) outbox.Table // between the relay and the database
	LookEvery  time.Duration                   // how often it looks at topics and old transactions
	Patience   time.Duration                   // after which a part counts as standing still
}

// Process is a worker's process.
type Process struct {
	settings Settings
	logger   *slog.Logger
	metrics  *metrics

	dial      config.Dialer // opens connections to Kafka
	kafka     []kgo.Opt     // more options of every Kafka client
	readiness *readiness

	topicWatch   *topicWatch
	inspectEvery time.Duration
	lookEvery    time.Duration // for old transactions

	kafkaAccess, postgresAccess *access
	throttling                  *throttling
	rights                      *rights
}

// Bounds of what the relay holds in memory for each applier: ample for full speed, little beside
// the rest.
const (
	relayRows  = 8_000
	relayBytes = 8 << 20
)

// New makes a process that does not run yet.
func New(settings Settings, logger *slog.Logger) *Process {
	w := &Process{
		settings: settings, logger: logger, metrics: newMetrics(settings.Name),
		dial: settings.Kafka.Dialer(), readiness: newReadiness(),
		inspectEvery: cmp.Or(settings.Hooks.LookEvery, inspectEvery), lookEvery: cmp.Or(settings.Hooks.LookEvery, lookEvery),
	}
	w.metrics.worker.Parts.Patience = cmp.Or(settings.Hooks.Patience, w.metrics.worker.Parts.Patience)
	w.topicWatch = &topicWatch{logger: logger, gauge: w.metrics.topics(settings.Topics.CommandTopicNames())}
	w.kafkaAccess = newAccess(systemKafka, settings.Kafka.Explain, w.metrics.refused, logger)
	w.postgresAccess = newAccess(systemPostgres, settings.Database.Explain, w.metrics.refused, logger)
	w.rights = newRights(w.metrics.refused, logger)
	w.rights.part = w.metrics.rights
	w.throttling = &throttling{logger: logger, seconds: w.metrics.throttle}
	w.kafka = append([]kgo.Opt{kgo.WithHooks(w.kafkaAccess, w.throttling)}, settings.Hooks.Kafka...)
	return w
}

// explain names the setting at fault where a system does not let this worker in.
func (w *Process) explain(system string, err error) error {
	if system == systemKafka {
		return w.kafkaAccess.explain(err)
	}
	return w.postgresAccess.explain(err)
}

// healthOf is what the worker says, and who does not let it in.
func (w *Process) healthOf(runner *worker.Worker) func(context.Context) health {
	return func(ctx context.Context) health {
		if stuck := w.metrics.worker.Stuck(); stuck != "" {
			return health{reasons: []string{stuck}} // whoever asked for more would hang, too
		}
		reasons := runner.NotReady(ctx)
		return health{reasons: slices.Concat(w.kafkaAccess.reasons(), w.postgresAccess.reasons(), reasons),
			notes: slices.Concat(w.rights.notes(), runner.Notes(), w.topicWatch.notes(),
				w.throttling.notes(time.Now()), w.metrics.worker.Parts.Standing(time.Now()))}
	}
}

// Run is a worker's life: it answers probes at once, waits for its servers, works until the context
// ends, and stops in order.
func (w *Process) Run(ctx context.Context, listener net.Listener) error {
	web := newWeb(listener, w.metrics.registry, w.readiness, w.logger)
	web.start()
	defer web.stop()
	traces, err := startTracing(ctx, w.settings.Name)
	if err != nil {
		return err
	}
	defer traces.stop(w.logger)
	db, err := w.openStore(ctx, traces)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := w.awaitServers(ctx, db); err != nil {
		if errors.Is(context.Cause(ctx), cli.ErrSignal) {
			return nil // stopped before it began
		}
		return err
	}
	return w.work(ctx, db)
}

func (w *Process) openStore(ctx context.Context, traces *tracing) (*store.Store, error) {
	url := w.settings.URL
	if url == "" {
		var err error
		if url, err = w.settings.Database.URL(); err != nil {
			return nil, err
		}
	}
	return store.Open(ctx, store.Options{
		Service: w.settings.Service,
		URL:     url,
		Schema:  w.settings.Database.In(),
		Owner:   owner(),
		Denied:  w.rights.suspect,
		// One for each applier, and a few for claims, drains, reports and probes.
		MaxConns: int32(w.settings.Tuning.Appliers + 4),
		Adjust: func(pool *pgxpool.Config) {
			if w.settings.URL == "" {
				w.settings.Database.Refresh(pool)
			}
			w.postgresAccess.watch(pool)
			traces.adjust(pool, w.postgresAccess)
			if w.settings.Hooks.AdjustPool != nil {
				w.settings.Hooks.AdjustPool(pool)
			}
		},
	})
}

// owner names this worker to people.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// work puts the worker together and runs it until the context ends, with the outbox' maintenance
// and a look at the topics beside it.
func (w *Process) work(ctx context.Context, db *store.Store) error {
	relay, err := w.newRelay(db)
	if err != nil {
		return err
	}
	defer w.stopRelay(relay)
	w.metrics.observe(relay)
	runner, err := w.newWorker(db, relay)
	if err != nil {
		return err
	}
	w.readiness.ask(w.healthOf(runner))
	w.readiness.watch(w.metrics.worker.Stuck)
	w.logger.Info("worker starts", "group", w.settings.Group.ID, "topics", w.settings.Topics.CommandTopicNames(), "version", cli.Version())

	maintaining, stop := context.WithCancel(ctx)
	var maintenance sync.WaitGroup
	maintenance.Go(func() { w.newOutboxDays(db).run(maintaining) })
	maintenance.Go(func() { w.watchTopics(maintaining) })
	maintenance.Go(func() { w.rights.watch(maintaining, db.CheckRights) })
	maintenance.Go(func() { w.newOldTransactions(db).run(maintaining) })
	err = runner.Run(ctx)
	stop()
	maintenance.Wait()
	w.logger.Info("worker stopped")
	return err
}

func (w *Process) newRelay(db *store.Store) (*outbox.Relay, error) {
	topics := w.settings.Topics
	table := outbox.Table(db)
	if w.settings.Hooks.WrapTable != nil {
		table = w.settings.Hooks.WrapTable(table)
	}
	optional := []string{topics.DeadLetterTopic}
	for _, topic := range topics.Routes() {
		optional = append(optional, topic)
	}
	return outbox.NewRelay(outbox.Options{
		Kafka: w.kafkaOptions(),
		Envelope: outbox.Envelope{
			TypePrefix: w.settings.Service.TypePrefix, EventsTopic: topics.EventsTopic, Routes: topics.Routes(), Source: topics.EventSource,
			DeadLetterTopic: topics.DeadLetterTopic, Group: w.settings.Group.ID,
		},
		Table: table, Metrics: w.metrics.ofRelay(optional), Logger: w.logger.With("part", "relay"), Parts: w.metrics.worker.Parts,
		MaxRows: relayRows, MaxBytes: relayBytes,
	})
}

func (w *Process) newWorker(db *store.Store, relay *outbox.Relay) (*worker.Worker, error) {
	s := worker.Store(db)
	if w.settings.Hooks.WrapStore != nil {
		s = w.settings.Hooks.WrapStore(s)
	}
	var topics []worker.Topic
	kinds := w.settings.Topics.BareTypes()
	for _, name := range w.settings.Topics.CommandTopicNames() {
		topics = append(topics, worker.Topic{Name: name, Type: kinds[name]})
	}
	tuning := w.settings.Tuning
	return worker.New(worker.Config{
		Kafka:       append(w.kafkaOptions(), kgo.WithHooks(w.metrics.consumer)),
		Group:       w.settings.Group.ID,
		Topics:      topics,
		TypePrefix:  w.settings.Service.TypePrefix,
		Service:     w.settings.Name,
		StartLatest: w.settings.Group.FromLatest, SessionTimeout: w.settings.Group.SessionTimeout,
		Appliers: tuning.Appliers, MaxBatch: tuning.MaxBatch,
		StallTimeout: tuning.StallTimeout, ShutdownTimeout: tuning.ShutdownTimeout,
		Access: func(err error) { w.kafkaAccess.note("group "+w.settings.Group.ID, time.Now(), err) },
		Logger: w.logger.With("part", "worker"), Metrics: w.metrics.worker,
		Refused: w.metrics.refused.WithLabelValues(systemKafka, config.RefusedRight).Inc,
	}, s, relay)
}

// metadataAge is how soon a client may ask again where topics are: the client's own 5 s would delay
// a start by as much where topics are new.
const metadataAge = 250 * time.Millisecond

// kafkaOptions are what every Kafka client of the worker needs.
func (w *Process) kafkaOptions() []kgo.Opt {
	return slices.Concat(w.settings.Kafka.Options(w.dial), []kgo.Opt{kgo.WithLogger(cli.QuietLogger(w.logger.Handler())), kgo.MetadataMinAge(metadataAge)}, w.kafka)
}

// stopTime is for what is left to do when a worker has stopped: its events are acknowledged, or
// will be its successor's.
const stopTime = 3 * time.Second

func (w *Process) stopRelay(relay *outbox.Relay) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if err := relay.Stop(ctx); err != nil {
		w.logger.Warn("relay did not stop in time", "error", err)
	}
}

// AwaitReady returns true when the worker is ready, and false when the context ended before.
func (w *Process) AwaitReady(ctx context.Context) bool { return w.readiness.await(ctx) }
