// Command consumer follows allocation.events and knows at any time which order is on which batch.
// It takes each event once, though some come twice.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"
)

const stateFile = "state.json"

// state is all that this consumer knows, and how it tells repeats. Both are saved together: a
// service with a database does it in one transaction.
type state struct {
	Products map[string]*product `json:"products"`
	Rejected []string            `json:"rejected"` // the ids of the rejections taken
}

type product struct {
	Sequence int64             `json:"sequence"` // of the last event taken
	Lines    map[string]string `json:"lines"`    // order and line → batch
}

type event struct{ OrderID, LineID, BatchRef, Reason string }

func main() {
	if err := run(); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := load()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(cmp.Or(os.Getenv("KAFKA_BROKERS"), "127.0.0.1:19092")),
		kgo.ConsumeTopics("allocation.events"),
		kgo.ConsumerGroup("example-go"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(), // the state first, then the offset
		kgo.BlockRebalanceOnPoll(),
	)
	if err != nil {
		return err
	}
	defer client.CloseAllowingRebalance()
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for record := range fetches.RecordsAll() {
			if err := s.take(record); err != nil {
				return err
			}
		}
		if err := s.save(); err != nil {
			return err
		}
		if err := client.CommitUncommittedOffsets(ctx); err != nil {
			return err
		}
		client.AllowRebalance()
	}
}

// take applies a record, unless it is a repeat.
func (s *state) take(r *kgo.Record) error {
	kind, id, sku := header(r, "ce_type"), header(r, "ce_id"), header(r, "ce_partitionkey")
	var e event
	if err := json.Unmarshal(r.Value, &e); err != nil {
		return fmt.Errorf("event %s: %w", id, err)
	}
	if header(r, "ce_sequence") == "" { // AllocationRejected: nothing changed, so nothing was counted
		if slices.Contains(s.Rejected, id) {
			return nil
		}
		s.Rejected = append(s.Rejected, id) // may be forgotten when repeats that late no longer matter
		fmt.Fprintf(os.Stdout, "%s: order %s was rejected: %s\n", sku, e.OrderID, e.Reason)
		return nil
	}
	sequence, err := strconv.ParseInt(header(r, "ce_sequence"), 10, 64)
	if err != nil {
		return fmt.Errorf("event %s: %w", id, err)
	}
	return s.product(sku).take(sku, kind, sequence, e)
}

func (p *product) take(sku, kind string, sequence int64, e event) error {
	switch {
	case sequence <= p.Sequence:
		return nil // a repeat, perhaps a late one
	case sequence > p.Sequence+1 && p.Sequence > 0:
		return fmt.Errorf("%s: events %d to %d are missing", sku, p.Sequence+1, sequence-1)
	}
	p.Sequence = sequence
	line := e.OrderID + "\t" + e.LineID // no identifier has a control character
	switch kind {
	case "allocation.v1.Allocated":
		p.Lines[line] = e.BatchRef
		fmt.Fprintf(os.Stdout, "%s %d: order %s is on batch %s\n", sku, sequence, e.OrderID, e.BatchRef)
	case "allocation.v1.Deallocated", "allocation.v1.OutOfStock", "allocation.v1.Dispatched":
		delete(p.Lines, line)
		fmt.Fprintf(os.Stdout, "%s %d: order %s is on no batch\n", sku, sequence, e.OrderID)
	}
	return nil // other types only count
}

func (s *state) product(sku string) *product {
	if s.Products[sku] == nil {
		s.Products[sku] = &product{Lines: map[string]string{}}
	}
	return s.Products[sku]
}

func header(r *kgo.Record, key string) (value string) {
	for _, h := range r.Headers {
		if h.Key == key {
			value = string(h.Value)
		}
	}
	return value
}

func load() (*state, error) {
	s := &state{Products: map[string]*product{}}
	data, err := os.ReadFile(stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	return s, json.Unmarshal(data, s)
}

// save replaces the file as a whole: a crash leaves the old one or the new one.
func (s *state) save() error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(stateFile+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(stateFile+".new", stateFile)
}
