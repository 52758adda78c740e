package testbed

import (
	"context"
	"errors"
	"fmt"

	"allocation/deploy/local/child"
	"allocation/deploy/testbed/containers"
	"allocation/deploy/testbed/kafka"
)

// openKafka starts a Kafka server with more settings than the usual, in a container or else by
// programs.
func openKafka(ctx context.Context, settings map[string]string) (*server, error) {
	contained, err := containers.Kafka(ctx, settings)
	if errors.Is(err, containers.ErrUnavailable) {
		return openKafkaPrograms(ctx, settings)
	}
	if err != nil {
		return nil, err
	}
	return &server{controls: contained, addr: contained.Addr}, nil
}

func openKafkaPrograms(ctx context.Context, settings map[string]string) (*server, error) {
	dir, sweeper, err := child.TempDir("allocation-kafka-*")
	if err != nil {
		return nil, err
	}
	node, err := kafka.Open(ctx, dir, settings)
	if err != nil {
		return nil, fmt.Errorf("Kafka for tests (or set %s): %w", KafkaVariable, errors.Join(err, sweeper.Close()))
	}
	return &server{controls: swept{node, sweeper}, addr: node.Brokers()}, nil
}
