package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"allocation/outbox/pulse"
)

// Table is where committed rows are kept. Its errors are outages: the relay waits and asks again.
type Table interface {
	// Rows reads the committed rows [from, to) of a source in order, dead letters with their
	// content. It may stop early, at a bound of its own on rows or bytes, but reads at least one.
	Rows(ctx context.Context, source Source, from, to int64) ([]Row, error)
	// Published reads the row below which all is acknowledged, as the owners of these sources last
	// wrote it.
	Published(ctx context.Context, sources []int32) (map[int32]int64, error)
	// Nudge asks the owners of these sources to write their published row soon.
	Nudge(ctx context.Context, sources []int32) error
}

// Options say what a Relay publishes, and with what.
type Options struct {
	Kafka    []kgo.Opt // how to reach Kafka: seeds, TLS, SASL. No hooks that change records: a repeat must have the same bytes
	Envelope Envelope
	Table    Table
	Metrics  Metrics
	Logger   *slog.Logger
	Tracer   trace.Tracer // makes the spans of what sampled commands have published; nil: none
	Parts    *pulse.Parts // where the relay's long-lived parts say that they go round; may be nil

	// Each budget has room while there are fewer rows than these, and fewer bytes. What is handed
	// over at once may pass them once.
	MaxRows  int
	MaxBytes int64
}

// Metrics are where a Relay reports what it did. A nil field is left alone.
type Metrics struct {
	Publish  prometheus.Observer                // seconds from produce to acknowledgement
	EndToEnd prometheus.Observer                // seconds from the command record's timestamp to acknowledgement
	Retried  func(system string, reason string) // something failed and will be tried again; system is "kafka" or "postgres"
	Skipped  func(topic string, reason string)  // a record was refused by its topic for good, and left out
}

func (m Metrics) acknowledged(now, produced time.Time, command int64) {
	if m.Publish != nil {
		m.Publish.Observe(now.Sub(produced).Seconds())
	}
	if m.EndToEnd != nil && command >= 0 {
		m.EndToEnd.Observe(float64(now.UnixMilli()-command) / 1000)
	}
}

func (m Metrics) retried(system, reason string) {
	if m.Retried != nil {
		m.Retried(system, reason)
	}
}

func (m Metrics) skipped(topic, reason string) {
	if m.Skipped != nil {
		m.Skipped(topic, reason)
	}
}

func (o Options) validate() error {
	errs := []error{o.Envelope.validate()}
	if o.Table == nil {
		errs = append(errs, errors.New("no table"))
	}
	if o.MaxRows < 1 {
		errs = append(errs, fmt.Errorf("room for %d rows: at least 1 is needed", o.MaxRows))
	}
	if o.MaxBytes < 1 {
		errs = append(errs, fmt.Errorf("room for %d bytes: at least 1 is needed", o.MaxBytes))
	}
	return errors.Join(errs...)
}
