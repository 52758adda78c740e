package worker

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"allocation/outbox/pulse"
)

// Metrics counts what a worker does.
type Metrics struct {
	Commands    *prometheus.CounterVec // by type and outcome
	Refusals    *prometheus.CounterVec // by reason
	Retries     *prometheus.CounterVec // by system and reason
	Fenced      prometheus.Counter
	Rollbacks   prometheus.Counter
	Transaction prometheus.Histogram
	BatchSize   prometheus.Histogram
	Member      prometheus.Gauge
	Assigned    prometheus.Gauge
	Quarantined prometheus.Gauge
	NotFetched  prometheus.Gauge
	Locked      prometheus.Gauge
	HeldKeys    prometheus.Gauge
	NewerKeys   prometheus.Gauge
	Lag         *prometheus.GaugeVec // by topic and partition
	Foreign     *prometheus.GaugeVec // by kind
	Stands      *prometheus.GaugeVec // by topic and partition

	// Parts says which long-lived parts of the process stand still. Others may add theirs.
	Parts *pulse.Parts

	fetchWatch, measuring, reporter, groupWatch, redriver *pulse.Part
}

// retryReasons are the reasons of Retries by system. Each has its series from the start: an alert
// sees only what grows.
var retryReasons = map[string][]string{
	"kafka": {"commit", "describe_group", "fetch", "group", "watch"},
	"postgres": {
		"adopt", "claim", "conflict", "fault", "listen", "locked", "nonce", "outage", "parked", "report", "unknown_outcome", "watch",
	},
}

// NewMetrics registers a worker's metrics. The registerer puts the service's name before theirs.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		Commands: counterVec("commands_total",
			"Commands committed, by type and outcome: changed, no_effect, refused, held, discarded, ignored.", "type", "outcome"),
		Refusals: counterVec("refusals_total", "Refused commands committed as dead letters, by reason.", "reason"),
		Retries: counterVec("retries_total",
			"Attempts that did not succeed and were made again, by system (postgres, kafka) and reason.", "system", "reason"),
		Fenced: counter("fenced_total", "Partitions on which this worker found that it no longer holds the claim."),
		Rollbacks: counter("database_rollbacks_total",
			"Claims that found the database behind what was reported to the group: it was restored, or a failover lost commits."),
		Transaction: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "transaction_duration_seconds",
			Help:    "Time of a transaction: load, decide, write and commit.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
		}),
		BatchSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "batch_commands",
			Help:    "Commands in a transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 8),
		}),
		Member:      gauge("group_member", "1 while the consumer group has this worker; 0 before it joined, and while it is out of it."),
		Assigned:    gauge("partitions_assigned", "Partitions that the group assigned to this worker."),
		Quarantined: gauge("partitions_quarantined", "Assigned partitions that are paused, because their position cannot be used."),
		NotFetched: gauge("partitions_not_fetched",
			"Assigned partitions whose leader does not answer, that cannot be claimed or fetched, or of which nothing comes or is applied though records wait: the log and /readyz say why."),
		Locked:   gauge("partitions_locked", "Assigned partitions that wait for what somebody outside of the service has locked in Postgres."),
		HeldKeys: gauge("held_keys", "Keys whose commands wait behind a dead letter of an assigned partition, until an operator decides."),
		NewerKeys: gauge("newer_keys",
			"Keys whose commands wait behind one of a newer type, of an assigned partition, until a worker that knows the type applies it, or its time is over."),
		Foreign: gaugeVec("foreign_members",
			"Members of the consumer group that are no workers (consumer), or 1 while workers of another database have part in it (database).", "kind"),
		Lag: gaugeVec("consumer_lag",
			"Records between what is applied and published and the end of the log, by topic and partition. Those of open transactions count.", "topic", "partition"),
		Stands: gaugeVec("stable_offset_stands_seconds",
			"For how long the last stable offset has stood below the end of the log, since a producer's transaction is open; by topic and partition.", "topic", "partition"),
	}
	m.Parts = &pulse.Parts{Patience: pulse.Patience}
	m.fetchWatch, m.measuring, m.reporter = m.Parts.Add("fetch watch"), m.Parts.Add("end of logs"), m.Parts.Add("reports")
	m.groupWatch, m.redriver = m.Parts.Add("group and claims"), m.Parts.Add("parked commands")
	r.MustRegister(m.Parts.Collector(), m.redriver.While(m.HeldKeys), m.redriver.While(m.NewerKeys), m.groupWatch.While(m.Foreign), m.fetchWatch.While(m.NotFetched))
	r.MustRegister(m.Commands, m.Refusals, m.Retries, m.Fenced, m.Rollbacks, m.Transaction, m.BatchSize, m.Member, m.Assigned, m.Quarantined, m.Locked,
		m.Lag, m.Stands)
	m.Foreign.WithLabelValues("consumer")
	m.Foreign.WithLabelValues("database")
	m.ShowRetries(retryReasons)
	return m
}

// ShowRetries makes the series of reasons to try again, as zero, by system.
func (m *Metrics) ShowRetries(reasons map[string][]string) {
	for system, some := range reasons {
		for _, reason := range some {
			m.Retries.WithLabelValues(system, reason)
		}
	}
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func gaugeVec(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func (m *Metrics) countTransaction(transaction *Transaction, outcomes []Outcome) {
	if len(outcomes) > 0 {
		m.BatchSize.Observe(float64(len(outcomes)))
	}
	type label struct {
		kind   string
		result Result
	}
	counts := map[label]int{}
	for i, o := range outcomes {
		kind := transaction.Commands[i].Type
		if o.Result == Refused {
			m.Refusals.WithLabelValues(o.Reason).Inc()
		}
		if o.Result == Discarded || transaction.Commands[i].Ignored || transaction.Commands[i].Newer != "" || slices.Contains(typelessReasons, o.Reason) {
			kind = "unknown" // a label must not grow with what people send
		}
		counts[label{kind, o.Result}]++
	}
	for l, n := range counts {
		m.Commands.WithLabelValues(l.kind, l.result.String()).Add(float64(n))
	}
}

func (r Result) String() string {
	return [...]string{Changed: "changed", NoEffect: "no_effect", Refused: "refused", Held: "held", Discarded: "discarded", Ignored: "ignored"}[r]
}
