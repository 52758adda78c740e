package testbed

import (
	"cmp"
	"context"
	"errors"
	"os"
	"sync"
	"testing"
)

// The variables that name running servers, and stop this package from starting any.
const (
	KafkaVariable    = "KAFKA_BROKERS"
	DatabaseVariable = "DATABASE_URL"
)

// shared is a server for all tests of this process, started when the first of them needs it.
type shared struct {
	variable string
	named    string // what the variable was at the start of the tests
	open     func(context.Context) (*server, error)

	mu      sync.Mutex
	started bool
	server  *server
	err     error
}

var (
	sharedKafka    = &shared{variable: KafkaVariable, open: func(ctx context.Context) (*server, error) { return openKafka(ctx, nil) }}
	sharedPostgres = &shared{variable: DatabaseVariable, open: func(ctx context.Context) (*server, error) { return openPostgres(ctx, nil) }}
)

// forTest is the address for a test. The server outlives the test that happened to be first.
func (s *shared) forTest(t testing.TB) string {
	t.Helper()
	addr, err := s.address(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// address starts the server when nobody did, and nothing names one. A start that failed is not
// tried again: its error is everyone's.
func (s *shared) address(ctx context.Context) (string, error) {
	if addr := cmp.Or(s.named, os.Getenv(s.variable)); addr != "" {
		return addr, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started {
		s.started = true
		s.server, s.err = s.open(ctx)
	}
	if s.err != nil {
		return "", s.err
	}
	return s.server.addr, nil
}

func (s *shared) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		return nil
	}
	return s.server.Close()
}

func closeShared() error {
	return errors.Join(dropped.wait(), sharedKafka.close(), sharedPostgres.close())
}
