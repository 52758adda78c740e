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
	Lag         *prometheus.GaugeVec // by topic and partition
	Foreign     *prometheus.GaugeVec // by kind
	Stands      *prometheus.GaugeVec // by topic and partition

	// Parts says which long-lived parts of the process stand still. Others may add theirs.
	Parts *pulse.Parts

	fetchWatch, measuring, reporter, groupWatch, keeper *pulse.Part
}

// NewMetrics registers a worker's metrics. The registerer puts the service's name before theirs.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		Commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "commands_total",
			Help: "Commands committed, by type and outcome: changed, no_effect, refused, held, discarded.",
		}, []string{"type", "outcome"}),
		Refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "refusals_total",
			Help: "Refused commands committed as dead letters, by reason.",
		}, []string{"reason"}),
		Retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retries_total",
			Help: "Attempts that did not succeed and were made again, by system (postgres, kafka) and reason.",
		}, []string{"system", "reason"}),
		Fenced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fenced_total",
			Help: "Partitions on which this worker found that it no longer holds the claim.",
		}),
		Rollbacks: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "database_rollbacks_total",
			Help: "Claims that found the database behind what was reported to the group: it was restored, or a failover lost commits.",
		}),
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
		Member: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "group_member",
			Help: "1 while the consumer group has this worker; 0 before it joined, and while it is out of it.",
		}),
		Assigned: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "partitions_assigned",
			Help: "Partitions that the group assigned to this worker.",
		}),
		Quarantined: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "partitions_quarantined",
			Help: "Assigned partitions that are paused, because their position cannot be used.",
		}),
		NotFetched: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "partitions_not_fetched",
			Help: "Assigned partitions whose leader does not answer, that cannot be claimed or fetched, or of which nothing comes or is applied though records wait: the log and /readyz say why.",
		}),
		Locked: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "partitions_locked",
			Help: "Assigned partitions that wait for what somebody outside of the service has locked in Postgres.",
		}),
		HeldKeys: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "held_keys",
			Help: "Keys whose commands wait behind a dead letter of an assigned partition, until an operator decides.",
		}),
		Foreign: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "foreign_members",
			Help: "Members of the consumer group that are no workers (consumer), or 1 while workers of another database have part in it (database).",
		}, []string{"kind"}),
		Lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "consumer_lag",
			Help: "Records between what is applied and published and the end of the log, by topic and partition. Those of open transactions count.",
		}, []string{"topic", "partition"}),
		Stands: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "stable_offset_stands_seconds",
			Help: "For how long the last stable offset has stood below the end of the log, since a producer's transaction is open; by topic and partition.",
		}, []string{"topic", "partition"}),
	}
	m.Parts = &pulse.Parts{Patience: pulse.Patience}
	m.fetchWatch, m.measuring, m.reporter = m.Parts.Add("fetch watch"), m.Parts.Add("end of logs"), m.Parts.Add("reports")
	m.groupWatch, m.keeper = m.Parts.Add("group and claims"), m.Parts.Add("kept commands")
	r.MustRegister(m.Parts.Collector(), m.keeper.While(m.HeldKeys), m.groupWatch.While(m.Foreign), m.fetchWatch.While(m.NotFetched))
	r.MustRegister(m.Commands, m.Refusals, m.Retries, m.Fenced, m.Rollbacks, m.Transaction, m.BatchSize, m.Member, m.Assigned, m.Quarantined, m.Locked,
		m.Lag, m.Stands)
	m.Foreign.WithLabelValues("consumer")
	m.Foreign.WithLabelValues("database")
	return m
}

func (m *Metrics) committed(batch *Batch, outcomes []Outcome) {
	if len(outcomes) > 0 {
		m.BatchSize.Observe(float64(len(outcomes)))
	}
	type label struct {
		kind   string
		result Result
	}
	counts := map[label]int{}
	for i, o := range outcomes {
		kind := batch.Commands[i].Type
		if o.Result == Refused {
			m.Refusals.WithLabelValues(o.Reason).Inc()
		}
		if o.Result == Discarded || slices.Contains(typelessReasons, o.Reason) {
			kind = "unknown" // a label must not grow with what people send
		}
		counts[label{kind, o.Result}]++
	}
	for l, n := range counts {
		m.Commands.WithLabelValues(l.kind, l.result.String()).Add(float64(n))
	}
}

func (r Result) String() string {
	switch r {
	case Changed:
		return "changed"
	case NoEffect:
		return "no_effect"
	case Refused:
		return "refused"
	case Held:
		return "held"
	case Discarded:
		return "discarded"
	}
	return "unknown"
}
