package main

import (
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
	"allocation/store/products"
	"allocation/worker"
)

// workerSettings are a worker's settings, without mistakes.
type workerSettings struct {
	kafka    config.Kafka
	database config.Database
	url      string // of the database, where it is not database's
	topics   config.Topics
	group    config.GroupSettings
	tuning   config.TuningSettings
}

// wiring is a worker before its parts are put together. Fault injection changes the exchangeable
// ones: see instrument.
type wiring struct {
	settings workerSettings
	logger   *slog.Logger
	metrics  *metrics

	dial       config.Dialer                   // opens connections to Kafka
	kafka      []kgo.Opt                       // more options of every Kafka client: hooks
	adjustPool func(*pgxpool.Config)           // changes how Postgres is reached; may be nil
	wrapStore  func(worker.Store) worker.Store // between the worker and the database; may be nil
	wrapTable  func(outbox.Table) outbox.Table // between the relay and the database; may be nil
	readiness  *readiness

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

// newWiring makes the parts that need nobody else.
func newWiring(settings workerSettings, logger *slog.Logger) *wiring {
	w := &wiring{
		settings: settings, logger: logger, metrics: newMetrics(),
		dial: settings.kafka.Dialer(), readiness: newReadiness(), inspectEvery: inspectEvery, lookEvery: lookEvery,
	}
	w.topicWatch = &topicWatch{logger: logger, gauge: w.metrics.topics(settings.topics.CommandTopicNames())}
	w.kafkaAccess = newAccess(systemKafka, settings.kafka.Explain, w.metrics.refused, logger)
	w.postgresAccess = newAccess(systemPostgres, settings.database.Explain, w.metrics.refused, logger)
	w.rights = newRights(w.metrics.refused, logger)
	w.rights.part = w.metrics.rights
	w.throttling = &throttling{logger: logger, seconds: w.metrics.throttle}
	w.kafka = []kgo.Opt{kgo.WithHooks(w.kafkaAccess, w.throttling)}
	instrument(w)
	return w
}

// explain names the setting at fault where a system does not let this worker in.
func (w *wiring) explain(system string, err error) error {
	if system == systemKafka {
		return w.kafkaAccess.explain(err)
	}
	return w.postgresAccess.explain(err)
}

// healthOf is what the worker says, and who does not let it in.
func (w *wiring) healthOf(runner *worker.Worker) func(context.Context) health {
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

// run is a worker's life: it answers probes at once, waits for its servers, works until the context
// ends, and stops in order.
func (w *wiring) run(ctx context.Context, listener net.Listener) error {
	web := newWeb(listener, w.metrics.registry, w.readiness, w.logger)
	web.start()
	defer web.stop()
	traces, err := startTracing(ctx)
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

func (w *wiring) openStore(ctx context.Context, traces *tracing) (*store.Store, error) {
	url := w.settings.url
	if url == "" {
		var err error
		if url, err = w.settings.database.URL(); err != nil {
			return nil, err
		}
	}
	return store.Open(ctx, store.Options{
		Service: products.Service,
		URL:     url,
		Owner:   owner(),
		Denied:  w.rights.suspect,
		// One for each applier, and a few for claims, drains, reports and probes.
		MaxConns: int32(w.settings.tuning.Appliers + 4),
		Adjust: func(pool *pgxpool.Config) {
			if w.settings.url == "" {
				w.settings.database.Refresh(pool)
			}
			w.postgresAccess.watch(pool)
			traces.adjust(pool, w.postgresAccess)
			if w.adjustPool != nil {
				w.adjustPool(pool)
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
func (w *wiring) work(ctx context.Context, db *store.Store) error {
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
	w.logger.Info("worker starts", "group", w.settings.group.ID, "topics", w.settings.topics.CommandTopicNames(), "version", cli.Version())

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

func (w *wiring) newRelay(db *store.Store) (*outbox.Relay, error) {
	topics := w.settings.topics
	table := outbox.Table(db)
	if w.wrapTable != nil {
		table = w.wrapTable(table)
	}
	optional := []string{topics.DeadLetterTopic}
	for _, topic := range topics.Routes() {
		optional = append(optional, topic)
	}
	return outbox.NewRelay(outbox.Options{
		Kafka: w.kafkaOptions(),
		Envelope: outbox.Envelope{
			TypePrefix: typePrefix, EventsTopic: topics.EventsTopic, Routes: topics.Routes(), Source: topics.EventSource,
			DeadLetterTopic: topics.DeadLetterTopic, Group: w.settings.group.ID,
		},
		Table: table, Metrics: w.metrics.ofRelay(optional), Logger: w.logger.With("part", "relay"), Parts: w.metrics.worker.Parts,
		MaxRows: relayRows, MaxBytes: relayBytes,
	})
}

func (w *wiring) newWorker(db *store.Store, relay *outbox.Relay) (*worker.Worker, error) {
	s := worker.Store(db)
	if w.wrapStore != nil {
		s = w.wrapStore(s)
	}
	var topics []worker.Topic
	kinds := w.settings.topics.BareTypes()
	for _, name := range w.settings.topics.CommandTopicNames() {
		topics = append(topics, worker.Topic{Name: name, Type: kinds[name]})
	}
	tuning := w.settings.tuning
	return worker.New(worker.Config{
		Kafka:       append(w.kafkaOptions(), kgo.WithHooks(w.metrics.consumer)),
		Group:       w.settings.group.ID,
		Topics:      topics,
		TypePrefix:  typePrefix,
		Service:     serviceName,
		StartLatest: w.settings.group.FromLatest, SessionTimeout: w.settings.group.SessionTimeout,
		Appliers: tuning.Appliers, MaxBatch: tuning.MaxBatch,
		StallTimeout: tuning.StallTimeout, ShutdownTimeout: tuning.ShutdownTimeout,
		Access: func(err error) { w.kafkaAccess.note("group "+w.settings.group.ID, time.Now(), err) },
		Logger: w.logger.With("part", "worker"), Metrics: w.metrics.worker,
		Refused: w.metrics.refused.WithLabelValues(systemKafka, config.RefusedRight).Inc,
	}, s, relay)
}

// metadataAge is how soon a client may ask again where topics are: the client's own 5 s would delay
// a start by as much where topics are new.
const metadataAge = 250 * time.Millisecond

// kafkaOptions are what every Kafka client of the worker needs.
func (w *wiring) kafkaOptions() []kgo.Opt {
	return slices.Concat(w.settings.kafka.Options(w.dial), []kgo.Opt{kgo.WithLogger(cli.QuietLogger(w.logger.Handler())), kgo.MetadataMinAge(metadataAge)}, w.kafka)
}

// stopTime is for what is left to do when a worker has stopped: its events are acknowledged, or
// will be its successor's.
const stopTime = 3 * time.Second

func (w *wiring) stopRelay(relay *outbox.Relay) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if err := relay.Stop(ctx); err != nil {
		w.logger.Warn("relay did not stop in time", "error", err)
	}
}
