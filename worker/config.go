package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"allocation/worker/cloudevents"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"
)

// Config says what a worker consumes, and how.
type Config struct {
	Kafka          []kgo.Opt // how to reach the brokers
	Group          string
	Topics         []Topic
	TypePrefix     string        // stands before the name of a command in a CloudEvents type, unless its topic has another
	Later          []string      // types of later versions that the service knows, in full; see cloudevents.Types
	SessionTimeout time.Duration // after which Kafka gives a dead worker's partitions to others

	// StartLatest begins topics that the database has no position for at their end, instead of at
	// their start.
	StartLatest bool

	Appliers        int           // transactions at once
	MaxBatch        int           // most commands in a transaction
	CatchUpTime     time.Duration // over which a backlog is spread; 0: it goes as fast as it can
	StallTimeout    time.Duration // an applier with work that did not move for so long is not ready
	ShutdownTimeout time.Duration // after which a graceful stop gives up
	WaitForNewer    time.Duration // how long commands of a newer type wait for a worker that knows it; 0: they are refused

	// Service is the program's name, in what the log says to type.
	Service string

	// Admitted is called once, when the group is known to have no worker of another database, and
	// before this one joins it. Its error ends Run, but it is called again after an ErrOutage. It may
	// be nil.
	Admitted func(context.Context) error

	// Access hears why the group does not let this worker in, and nil when it does. It may be nil.
	Access func(error)

	Logger  *slog.Logger
	Metrics *Metrics
	Tracer  trace.Tracer // makes the spans of sampled commands; nil: none
	Refused func()       // is called when Kafka refuses this worker a right; may be nil
}

// validate names each option that cannot be.
func (c *Config) validate() error {
	var errs []error
	needs := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	needs(c.Group != "", "no consumer group")
	needs(c.Service != "", "no name of the service")
	needs(c.TypePrefix != "", "no prefix of types")
	needs(c.Logger != nil, "no logger")
	needs(c.Metrics != nil, "no metrics")
	needs(c.Appliers > 0, "%d appliers: at least 1 is needed", c.Appliers)
	needs(c.MaxBatch > 0, "%d commands in a transaction: at least 1 is needed", c.MaxBatch)
	needs(c.CatchUpTime >= 0, "a time to catch up of %s: it must not be below 0", c.CatchUpTime)
	needs(c.SessionTimeout > 0, "a session timeout of %s: it must be above 0", c.SessionTimeout)
	needs(c.StallTimeout > 0, "a stall timeout of %s: it must be above 0", c.StallTimeout)
	needs(c.ShutdownTimeout > 0, "a shutdown timeout of %s: it must be above 0", c.ShutdownTimeout)
	needs(c.WaitForNewer >= 0, "a wait for newer workers of %s: it must not be below 0", c.WaitForNewer)
	needs(len(c.Topics) > 0, "no topics")
	seen := map[string]bool{}
	for _, t := range c.Topics {
		needs(t.Name != "", "a topic without a name")
		needs(!seen[t.Name], "the topic %s is there twice", t.Name)
		seen[t.Name] = true
	}
	return errors.Join(errs...)
}

// Topic is a topic whose records are applied as commands.
type Topic struct {
	Name string

	// Types are those of its records. Without a prefix, it is Config.TypePrefix. The names of
	// commands have to differ over all topics of a service. Without names that it takes, the topic
	// has this service's own commands.
	Types cloudevents.Types
}

// Bounds of what a worker keeps in memory. Queued bytes count keys, values, headers and what
// records cost beside them.
const (
	queueBytes        = 16 << 20  // of all partitions together; above it, each has an even share
	partitionQueueMin = 128 << 10 // the least share
	batchBytes        = 4 << 20   // of one transaction; a larger record goes alone
	recordBytes       = 256       // of a record beside its contents
	headerBytes       = 40        // of a header beside its contents

	// Brokers count compressed bytes, which small records multiply when they are unpacked. A larger
	// batch of records comes alone.
	fetchBytes     = 2 << 20
	fetchPartition = 256 << 10
	fetchWait      = 250 * time.Millisecond // a resumed partition waits out the fetch in flight
)
