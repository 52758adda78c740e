package checker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
)

// Run says where a history is.
type Run struct {
	Brokers  []string
	Database string            // a URL
	Commands map[string]string // the command topics, with the type of their bare records
	Events   string
	Routes   map[string]string // the topics of event types that also go to one of their own
	Letters  string
	Group    string
	Source   string // ce_source

	// TimelineChanges says how often the database was failed over with its last commits lost, or
	// restored to an earlier point. Without one, events of another timeline are phantoms.
	TimelineChanges int
	// Acknowledged gives the commands that Kafka acknowledged, as their producers remember them,
	// with partition, offset and timestamp; in any order, aborted ones left out. It replaces
	// records that were deleted, where it has more than their place, and shows others that Kafka
	// lost. Nil: nobody remembers.
	Acknowledged iter.Seq[Record]
}

// Read reads a run's history, up to where it is now. Everything should be applied and published,
// and nothing be sent meanwhile.
func Read(ctx context.Context, run Run) (*History, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(collectSooner))
	h := &History{Group: run.Group, Source: run.Source, Kinds: run.Commands, Routes: run.Routes, TimelineChanges: run.TimelineChanges}
	k, err := connect(run)
	if err != nil {
		return nil, fmt.Errorf("connect to Kafka: %w", err)
	}
	defer k.client.Close()
	if err := errors.Join(k.describe(ctx, h), k.readAll(ctx, h)); err != nil {
		return nil, fmt.Errorf("read Kafka: %w", err)
	}
	h.remember(run.Acknowledged)
	if h.Tables, err = readTables(ctx, run.Database); err != nil {
		return nil, fmt.Errorf("read Postgres: %w", err)
	}
	return h, nil
}
