package checker

import (
	"context"
	"errors"
	"fmt"
)

// Run says where a history is.
type Run struct {
	Brokers  []string
	Database string            // a URL
	Commands map[string]string // the command topics, with the type of their bare records
	Events   string
	Letters  string
	Group    string
	Source   string // ce_source
}

// Read reads a run's history, up to where it is now.
func Read(ctx context.Context, run Run) (*History, error) {
	h := &History{Group: run.Group, Source: run.Source, Kinds: run.Commands}
	k, err := connect(run)
	if err != nil {
		return nil, fmt.Errorf("connect to Kafka: %w", err)
	}
	defer k.client.Close()
	if err := errors.Join(k.describe(ctx, h), k.readAll(ctx, h)); err != nil {
		return nil, fmt.Errorf("read Kafka: %w", err)
	}
	if h.Tables, err = readTables(ctx, run.Database); err != nil {
		return nil, fmt.Errorf("read Postgres: %w", err)
	}
	return h, nil
}
