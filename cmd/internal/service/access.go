package service

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/config"
)

const (
	systemKafka    = "kafka"
	systemPostgres = "postgres"
)

// access knows which servers do not let this worker in, or are not trusted, and tells it in
// readiness, log and metric. The worker waits all the same: files of passwords and certificates are
// read again for each connection.
type access struct {
	system  string
	explain func(error) error
	counter *prometheus.CounterVec
	logger  *slog.Logger

	mu      sync.Mutex
	refused map[string]refused   // by address
	granted map[string]time.Time // when the newest attempt began that was let in, by address
}

// refused is the last word of a server.
type refused struct {
	why string
	at  time.Time
}

// accessMemory is how long a refusal counts that does not come again: by then nobody needs that
// server, or it is not there any more.
const accessMemory = 15 * time.Second

func newAccess(system string, explain func(error) error, counter *prometheus.CounterVec, logger *slog.Logger) *access {
	return &access{system: system, explain: explain, counter: counter, logger: logger, refused: map[string]refused{}, granted: map[string]time.Time{}}
}

// note takes down how an attempt to connect ended that began at some time. A server that is away
// says nothing about access. Nor does a refusal if a later attempt was let in, with the files as
// they were then.
func (a *access) note(address string, began time.Time, err error) {
	var e *config.AccessError
	err = a.explain(err)
	if err != nil && !errors.As(err, &e) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	before, was := a.refused[address]
	if e == nil {
		if began.After(a.granted[address]) {
			a.granted[address] = began
		}
		if was {
			delete(a.refused, address)
			a.logger.Info("access granted again", "system", a.system, "address", address)
		}
		return
	}
	a.counter.WithLabelValues(a.system, e.Reason).Inc()
	if a.granted[address].After(began) {
		return
	}
	a.refused[address] = refused{why: e.Error(), at: time.Now()}
	if before.why != e.Error() {
		a.logger.Error("access denied, retrying", "system", a.system, "address", address, "reason", e.Reason, "error", e)
	}
}

// reasons are why the worker is not ready.
func (a *access) reasons() (reasons []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, address := range slices.Sorted(maps.Keys(a.refused)) {
		if time.Since(a.refused[address].at) < accessMemory {
			reasons = append(reasons, a.system+": "+a.refused[address].why)
		}
	}
	return reasons
}

var (
	_ kgo.HookBrokerConnect = (*access)(nil)
	_ pgx.ConnectTracer     = (*access)(nil)
)

// OnBrokerConnect is kgo's hook for a connection that was opened and let in, or was not.
func (a *access) OnBrokerConnect(broker kgo.BrokerMetadata, took time.Duration, _ net.Conn, err error) {
	a.note(net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port))), time.Now().Add(-took), err)
}

// TraceConnectStart is pgx's hook for a connection that is opened.
func (a *access) TraceConnectStart(ctx context.Context, data pgx.TraceConnectStartData) context.Context {
	return context.WithValue(ctx, attemptKey{}, attempt{net.JoinHostPort(data.ConnConfig.Host, strconv.Itoa(int(data.ConnConfig.Port))), time.Now()})
}

// TraceConnectEnd is pgx's hook for a connection that was let in, or was not.
func (a *access) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	attempt, _ := ctx.Value(attemptKey{}).(attempt)
	a.note(attempt.address, attempt.began, data.Err)
}

// watch takes down what keeps a pool from even trying, such as a file of a certificate that is
// gone.
func (a *access) watch(pool *pgxpool.Config) {
	before := pool.BeforeConnect
	if before == nil {
		return
	}
	pool.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) error {
		err := before(ctx, conn)
		if err != nil {
			a.note(net.JoinHostPort(conn.Host, strconv.Itoa(int(conn.Port))), time.Now(), err)
		}
		return err
	}
}

// attempt is one to connect to Postgres, in its context.
type attempt struct {
	address string
	began   time.Time
}

type attemptKey struct{}

// TraceQueryStart makes this a pgx.QueryTracer, which pgx looks for first.
func (a *access) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

// TraceQueryEnd does nothing either.
func (a *access) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
