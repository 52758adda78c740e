package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/outbox"
	"allocation/store"
	"allocation/worker"
	"allocation/worker/cloudevents"
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
	Pages    http.Handler // beside health and metrics; nil: there are none
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
	cluster   string // Kafka's id of the cluster

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
	p := &Process{
		settings: settings, logger: logger, metrics: newMetrics(settings.Name, settings.Service.Waiting),
		dial: settings.Kafka.Dialer(), readiness: newReadiness(),
		inspectEvery: cmp.Or(settings.Hooks.LookEvery, inspectEvery), lookEvery: cmp.Or(settings.Hooks.LookEvery, lookEvery),
	}
	if settings.Service.Due != nil {
		p.metrics.due = p.metrics.worker.Parts.Add("due commands")
	}
	p.metrics.worker.Parts.Patience = cmp.Or(settings.Hooks.Patience, p.metrics.worker.Parts.Patience)
	p.topicWatch = &topicWatch{logger: logger, gauge: p.metrics.topics(settings.Topics.Inputs())}
	p.kafkaAccess = newAccess(systemKafka, settings.Kafka.Explain, p.metrics.refused, logger)
	p.postgresAccess = newAccess(systemPostgres, settings.Database.Explain, p.metrics.refused, logger)
	p.rights = newRights(p.metrics.refused, logger)
	p.rights.part = p.metrics.rights
	p.throttling = &throttling{logger: logger, seconds: p.metrics.throttle}
	p.kafka = append([]kgo.Opt{kgo.WithHooks(p.kafkaAccess, p.throttling)}, settings.Hooks.Kafka...)
	return p
}

// explain names the setting at fault where a system does not let this worker in.
func (p *Process) explain(system string, err error) error {
	if system == systemKafka {
		return p.kafkaAccess.explain(err)
	}
	return p.postgresAccess.explain(err)
}

// healthOf is what the worker says, and who does not let it in.
func (p *Process) healthOf(runner *worker.Worker) func(context.Context) health {
	return func(ctx context.Context) health {
		if stuck := p.metrics.worker.Stuck(); stuck != "" {
			return health{reasons: []string{stuck}} // asking for more would hang, too
		}
		reasons := runner.NotReady(ctx)
		return health{reasons: slices.Concat(p.kafkaAccess.reasons(), p.postgresAccess.reasons(), reasons),
			notes: slices.Concat(p.rights.notes(), runner.Notes(), p.topicWatch.notes(),
				p.throttling.notes(time.Now()), p.metrics.worker.Parts.Standing(time.Now()))}
	}
}

// Run is a worker's life: it answers probes at once, waits for its servers, works until the context
// ends, and stops in order.
func (p *Process) Run(ctx context.Context, listener net.Listener) error {
	probes := newParts(ctx)
	probes.run(newWeb(listener, p.metrics.registry, p.readiness, p.settings.Pages, p.logger).run)
	defer p.stop("health and metrics", probes)
	traces, err := startTracing(ctx, p.settings.Name)
	if err != nil {
		return err
	}
	defer traces.stop(p.logger)
	db, err := p.openStore(ctx, traces)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := p.awaitServers(ctx, db); err != nil {
		if errors.Is(context.Cause(ctx), cli.ErrSignal) {
			return nil // stopped before it began
		}
		return err
	}
	return p.work(ctx, db, traces)
}

func (p *Process) openStore(ctx context.Context, traces *tracing) (*store.Store, error) {
	url := p.settings.URL
	if url == "" {
		var err error
		if url, err = p.settings.Database.URL(); err != nil {
			return nil, err
		}
	}
	return store.Open(ctx, store.Options{
		Service: p.settings.Service,
		URL:     url,
		Schema:  p.settings.Database.In(),
		Owner:   owner(),
		Version: cli.Version(),
		Denied:  p.rights.suspect,
		// One for each applier, and a few for claims, drains, reports and probes.
		MaxConns: int32(p.settings.Tuning.Appliers + 4),
		Adjust: func(pool *pgxpool.Config) {
			if p.settings.URL == "" {
				p.settings.Database.Refresh(pool)
			}
			p.postgresAccess.watch(pool)
			traces.adjust(pool, p.postgresAccess)
			if p.settings.Hooks.AdjustPool != nil {
				p.settings.Hooks.AdjustPool(pool)
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
func (p *Process) work(ctx context.Context, db *store.Store, traces *tracing) error {
	relay, err := p.newRelay(db, traces)
	if err != nil {
		return err
	}
	relaying := newParts(ctx)
	relaying.run(relay.Run)
	defer p.stop("relay", relaying)
	p.metrics.observe(relay)
	runner, err := p.newWorker(db, relay, traces)
	if err != nil {
		return err
	}
	p.readiness.ask(p.healthOf(runner))
	p.readiness.watch(p.metrics.worker.Stuck)
	p.logger.Info("worker starts", "group", p.settings.Group.ID, "topics", p.settings.Topics.Inputs(), "version", cli.Version())

	maintenance := newParts(ctx)
	days := p.newOutboxDays(db)
	maintenance.run(days.run)
	maintenance.run(days.runIndexes)
	maintenance.run(p.watchTopics)
	maintenance.run(func(ctx context.Context) { p.rights.watch(ctx, db.CheckRights) })
	maintenance.run(p.newOldTransactions(db).run)
	maintenance.run(p.newBacklogs(db).run)
	maintenance.run(p.runDue(db, runner))
	err = runner.Run(ctx)
	p.stop("maintenance", maintenance)
	p.logger.Info("worker stopped")
	return err
}

func (p *Process) newRelay(db *store.Store, traces *tracing) (*outbox.Relay, error) {
	topics := p.settings.Topics
	table := outbox.Table(db)
	if p.settings.Hooks.WrapTable != nil {
		table = p.settings.Hooks.WrapTable(table)
	}
	optional := []string{topics.DeadLetterTopic}
	for _, topic := range topics.Routes() {
		optional = append(optional, topic)
	}
	return outbox.NewRelay(outbox.Options{
		Kafka: p.kafkaOptions(),
		Envelope: outbox.Envelope{
			TypePrefix: p.settings.Service.TypePrefix, EventsTopic: topics.EventsTopic, Routes: topics.Routes(), Source: topics.EventSource,
			DeadLetterTopic: topics.DeadLetterTopic, Group: p.settings.Group.ID, Commands: destinations(topics.Sent()),
		},
		Table: table, Metrics: p.metrics.ofRelay(optional), Logger: p.logger.With("part", "relay"), Tracer: traces.tracer(p.settings.Name + "/outbox"),
		Parts: p.metrics.worker.Parts, MaxRows: relayRows, MaxBytes: relayBytes,
	})
}

// destinations are where commands for other services go, by type.
func destinations(sent []config.Other) map[string]outbox.Destination {
	to := map[string]outbox.Destination{}
	for _, other := range sent {
		for _, kind := range other.Types {
			to[kind] = outbox.Destination{Topic: other.Topic, TypePrefix: other.TypePrefix}
		}
	}
	return to
}

func (p *Process) newWorker(db *store.Store, relay *outbox.Relay, traces *tracing) (*worker.Worker, error) {
	s := worker.Store(db)
	if p.settings.Hooks.WrapStore != nil {
		s = p.settings.Hooks.WrapStore(s)
	}
	var topics []worker.Topic
	kinds := p.settings.Topics.BareTypes()
	for _, name := range p.settings.Topics.CommandTopicNames() {
		topics = append(topics, worker.Topic{Name: name, Types: cloudevents.Types{Type: kinds[name]}})
	}
	for _, other := range p.settings.Topics.Taken() {
		topics = append(topics, worker.Topic{Name: other.Topic, Types: cloudevents.Types{Prefix: other.TypePrefix, Takes: other.Types}})
	}
	tuning := p.settings.Tuning
	return worker.New(worker.Config{
		Kafka:       append(p.kafkaOptions(), kgo.WithHooks(p.metrics.consumer)),
		Group:       p.settings.Group.ID,
		Topics:      topics,
		TypePrefix:  p.settings.Service.TypePrefix,
		Later:       p.settings.Service.Later,
		Service:     p.settings.Name,
		StartLatest: p.settings.Group.FromLatest, SessionTimeout: p.settings.Group.SessionTimeout,
		Appliers: tuning.Appliers, MaxBatch: tuning.MaxBatch, CatchUpTime: tuning.CatchUpTime,
		StallTimeout: tuning.StallTimeout, ShutdownTimeout: tuning.ShutdownTimeout, WaitForNewer: tuning.WaitForNewer,
		Admitted: func(ctx context.Context) error {
			return db.RememberCluster(ctx, p.cluster, p.settings.Group.ID)
		},
		Access: func(err error) { p.kafkaAccess.note("group "+p.settings.Group.ID, time.Now(), err) },
		Logger: p.logger.With("part", "worker"), Metrics: p.metrics.worker, Tracer: traces.tracer(p.settings.Name + "/worker"),
		Refused: p.metrics.refused.WithLabelValues(systemKafka, config.RefusedRight).Inc,
	}, s, relay)
}

// metadataAge is how soon a client may ask again where topics are: the client's own 5 s would delay
// a start by as much where topics are new.
const metadataAge = 250 * time.Millisecond

// kafkaOptions are what every Kafka client of the worker needs.
func (p *Process) kafkaOptions() []kgo.Opt {
	return slices.Concat(p.settings.Kafka.Options(p.settings.Name, p.dial), []kgo.Opt{kgo.WithLogger(cli.QuietLogger(p.logger.Handler())), kgo.MetadataMinAge(metadataAge)}, p.kafka)
}

// stopTime is for what is left to do when a worker has stopped: its events are acknowledged, or
// will be its successor's.
const stopTime = 3 * time.Second

func (p *Process) stop(name string, parts *parts) {
	if !parts.stop(stopTime) {
		p.logger.Warn("a part of the worker did not stop in time", "part", name)
	}
}

// AwaitReady returns true when the worker is ready, and false when the context ended before.
func (p *Process) AwaitReady(ctx context.Context) bool { return p.readiness.await(ctx) }
