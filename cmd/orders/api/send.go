package api

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/operate/send"
	"allocation/cmd/orders/language"
)

// source is the ce_source of commands that come by the API.
const source = "/orders/api"

// command is one that is to be sent.
type command struct {
	name            string
	data            []byte
	customer, order string
	id              string
	keyed           bool // the id is that of an idempotency key: it may have come before
	trace, state    string
}

// record marks it as one that is to be done once: its client may send it again, and its outcome is
// asked for.
func (c *command) record(topic string) *kgo.Record {
	r := language.Orders.Record(&send.Message{Command: c.name, Data: c.data, ID: c.id, CorrelationID: c.order, Key: c.customer}, topic, source)
	add := func(key, value string) {
		if value != "" {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
		}
	}
	add("ce_once", "true")
	add("traceparent", c.trace)
	add("tracestate", c.state)
	return r
}

// send sends it, while not too many others wait for the same partition: the others have their own
// places where its leader does not answer.
func (a *API) send(ctx context.Context, c *command) error {
	partition := a.Sender.PartitionOf([]byte(c.customer))
	if !a.sending.enter(partition) {
		return busy("%d others wait just now until Kafka takes what goes to the same partition", maxSending)
	}
	defer a.sending.leave(partition)
	// Who asked may go: what they asked for is sent all the same.
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), sendTime, fmt.Errorf("no answer within %s", sendTime))
	defer cancel()
	if err := a.await(ctx, c.record(a.Sender.Topic())); err != nil {
		a.Logger.Warn("a command could not be sent", "command", c.name, "partition", partition, "error", err)
		return busy("Kafka did not take the command: ask again, with the same Idempotency-Key, for it may still come to be written")
	}
	return nil
}

// await sends a record, and gives up when the context ends. The record may come to be written then,
// or not.
func (a *API) await(ctx context.Context, r *kgo.Record) error {
	sent := make(chan error, 1)
	a.Sender.Send(ctx, r, func(err error) { sent <- err })
	select {
	case err := <-sent:
		return err
	case <-ctx.Done():
		return errors.Join(errors.New("Kafka has not acknowledged it"), context.Cause(ctx)) //nolint:staticcheck // a name
	}
}

// lanes count who waits for each partition.
type lanes struct {
	mu      sync.Mutex
	waiting map[int32]int
}

// enter takes a place, if one is free.
func (l *lanes) enter(partition int32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting[partition] >= maxSending {
		return false
	}
	l.waiting[partition]++
	return true
}

func (l *lanes) leave(partition int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting[partition]--
}
