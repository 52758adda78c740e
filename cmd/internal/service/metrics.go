package service

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/plugin/kprom"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/topics"
	"allocation/outbox"
	"allocation/outbox/pulse"
	"allocation/store"
	"allocation/worker"
)

// metrics are all that a worker counts. Those of its parts are made by the parts where these know
// what they count.
type metrics struct {
	registry *prometheus.Registry
	own      prometheus.Registerer // with the service's name before each metric
	worker   *worker.Metrics
	consumer *kprom.Metrics
	publish  prometheus.Histogram
	endToEnd prometheus.Histogram
	ahead    prometheus.Gauge
	oldest   prometheus.Gauge
	refused  *prometheus.CounterVec
	letters  prometheus.Gauge
	waiting  prometheus.Gauge // nil where nothing waits in the service's tables
	skipped  *prometheus.CounterVec
	throttle prometheus.Counter

	days, transactions, backlogs, settings, rights, due *pulse.Part // due is nil where the service has none
}

func newMetrics(service string, waiting *store.Waiting) *metrics {
	registry := prometheus.NewRegistry()
	own := prometheus.WrapRegistererWithPrefix(service+"_", registry)
	m := &metrics{
		registry: registry,
		own:      own,
		worker:   worker.NewMetrics(own),
		consumer: kprom.NewMetrics(service+"_kafka_consumer", kprom.Registerer(registry), kprom.Gatherer(registry)),
		publish: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "publish_duration_seconds",
			Help:    "Time from handing an event to the Kafka client to its acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
		}),
		endToEnd: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "end_to_end_duration_seconds",
			Help:    "Time from a command record's timestamp to the acknowledgement of its event.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 20),
		}),
		ahead: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "outbox_partitions_ahead",
			Help: "Days after today for which the outbox has a table, up to the first gap. At zero nothing can be committed from midnight on, at -1 nothing now.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "oldest_transaction_age_seconds",
			Help: "Age of what keeps Postgres from cleaning dead rows of the database: an open transaction, a standby or a replication slot; 0 where there is none.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "access_refused_total",
			Help: "Connections that a server refused, or whose server this worker does not trust. Waiting does not mend that: the reason says what to change.",
		}, []string{"system", "reason"}),
	}
	m.skipped = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "outbox_skipped_total",
		Help: "Records that a topic of dead letters or routed events refused for good, and that were left out there. Nothing is lost: " +
			"dead letters are in the database, and events in the topic of all events.",
	}, []string{"topic", "reason"})
	m.throttle = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kafka_throttle_seconds_total",
		Help: "Delays that brokers asked this worker for, because a quota is exceeded: of its user, client id or address, or of the requests or bytes of all clients.",
	})
	for _, system := range []string{systemKafka, systemPostgres} {
		m.refused.WithLabelValues(system, config.RefusedPassword)
	}
	m.refused.WithLabelValues(systemKafka, config.RefusedRight)
	m.worker.ShowRetries(outbox.RetryReasons())
	m.worker.ShowRetries(map[string][]string{systemKafka: {"settings"}})
	m.days, m.transactions, m.settings = m.worker.Parts.Add("days of the outbox"), m.worker.Parts.Add("old transactions"), m.worker.Parts.Add("settings of topics")
	m.rights, m.backlogs = m.worker.Parts.Add("rights"), m.worker.Parts.Add("backlogs")
	m.registerBacklogs(waiting)
	own.MustRegister(m.publish, m.endToEnd, m.days.While(m.ahead), m.transactions.While(m.oldest), m.refused, m.skipped, m.throttle, buildInfo())
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// registerBacklogs makes the gauges of what waits in the database, whichever worker has it.
func (m *metrics) registerBacklogs(waiting *store.Waiting) {
	m.letters = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "dead_letters_open",
		Help: "Dead letters of the whole database about which nobody decided yet.",
	})
	m.own.MustRegister(m.backlogs.While(m.letters))
	if waiting == nil {
		return
	}
	m.waiting = prometheus.NewGauge(prometheus.GaugeOpts{Name: waiting.Name, Help: waiting.Help})
	m.own.MustRegister(m.backlogs.While(m.waiting))
}

// topics is a gauge of settings of topics, with a series for what would lose commands.
func (m *metrics) topics(commands []string) *prometheus.GaugeVec {
	gauge := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "topic_misconfigured",
		Help: "1 where a setting of a topic is not as it should be: error loses commands, warning may lose something, unknown is hidden by the access rules.",
	}, []string{"topic", "setting", "severity"})
	for _, topic := range commands {
		gauge.WithLabelValues(topic, topics.CleanupPolicy, string(topics.Severe))
	}
	m.own.MustRegister(m.settings.While(gauge))
	return gauge
}

// buildInfo is 1, and says by its labels what runs.
func buildInfo() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "build_info",
		Help:        "1; the labels say which build this is.",
		ConstLabels: prometheus.Labels{"version": cli.Version(), "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

// ofRelay are the relay's, with a series for each topic whose records may be left out.
func (m *metrics) ofRelay(optional []string) outbox.Metrics {
	for _, topic := range optional {
		m.skipped.WithLabelValues(topic, kerr.InvalidRecord.Message)
	}
	return outbox.Metrics{
		Publish: m.publish, EndToEnd: m.endToEnd,
		Retried: func(system, reason string) { m.worker.Retries.WithLabelValues(system, reason).Inc() },
		Skipped: func(topic, reason string) { m.skipped.WithLabelValues(topic, reason).Inc() },
	}
}

// observe counts what the relay knows at any time.
func (m *metrics) observe(relay *outbox.Relay) {
	m.own.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "oldest_unpublished_event_age_seconds",
			Help: "How long the oldest event waits that Kafka has not acknowledged; 0 where there is none.",
		}, func() float64 { return oldestAge(relay) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "outbox_held_keys",
			Help: "Keys whose events wait for an event that came by another partition.",
		}, func() float64 { return float64(relay.DeferredKeys()) }),
	)
}

func oldestAge(relay *outbox.Relay) float64 {
	since, ok := relay.OldestUnpublished()
	if !ok {
		return 0
	}
	return max(0, time.Since(since).Seconds())
}
