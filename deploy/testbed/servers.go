package testbed

import (
	"context"
	"errors"
	"sync"
)

// Servers are one server of each for many test processes.
type Servers struct{}

// Open starts the servers that no variable names, side by side.
func Open(ctx context.Context) (*Servers, error) {
	servers := new(Servers)
	var wg sync.WaitGroup
	var errs [2]error
	for i, s := range []*shared{sharedKafka, sharedPostgres} {
		wg.Go(func() { _, errs[i] = s.address(ctx) })
	}
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, servers.Close())
	}
	return servers, nil
}

// Environment names the servers to other processes.
func (*Servers) Environment() []string {
	var environment []string
	for _, s := range []*shared{sharedKafka, sharedPostgres} {
		if s.server != nil {
			environment = append(environment, s.variable+"="+s.server.addr)
		}
	}
	return environment
}

// Close stops the servers that Open started and removes their files.
func (*Servers) Close() error { return closeShared() }
