package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/operate/send"
	"allocation/cmd/orders/language"
)

// Sender sends a record, and returns when Kafka has it on all replicas that must have it.
type Sender interface {
	Send(context.Context, *kgo.Record) error
	Topic() string
}

// sender is a Sender by a client that is idempotent, and waits for all replicas in sync.
type sender struct {
	client *kgo.Client
	topic  string
}

func (s *sender) Topic() string { return s.topic }

// Send gives up when the context ends. The record may come to be written then, or not.
func (s *sender) Send(ctx context.Context, r *kgo.Record) error {
	sent := make(chan error, 1)
	s.client.TryProduce(ctx, r, func(_ *kgo.Record, err error) { sent <- err })
	select {
	case err := <-sent:
		return err
	case <-ctx.Done():
		return errors.Join(errors.New("Kafka has not acknowledged it"), context.Cause(ctx)) //nolint:staticcheck // a name
	}
}

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

// send sends it, while not too many others do.
func (a *API) send(ctx context.Context, c *command) error {
	free, ok := place(a.sending)
	if !ok {
		return busy("%d others send just now", maxSending)
	}
	defer free()
	// Who asked may go: what they asked for is sent all the same.
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), sendTime, fmt.Errorf("no answer within %s", sendTime))
	defer cancel()
	if err := a.Sender.Send(ctx, c.record(a.Sender.Topic())); err != nil {
		a.Logger.Warn("a command could not be sent", "command", c.name, "error", err)
		return busy("Kafka did not take the command: ask again, with the same Idempotency-Key, for it may still come to be written")
	}
	return nil
}
