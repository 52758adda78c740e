package verify

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/store/products"
	"allocation/store/verify"
)

// eventsTopic reads the events of products.
type eventsTopic struct {
	client *kgo.Client
	topic  string
	events int64 // read so far
}

// read calls take with each event that has a sequence.
func (t *eventsTopic) read(ctx context.Context, take func(verify.Event) error) error {
	return cli.ReadTopic(ctx, t.client, t.topic, time.Time{}, func(r *kgo.Record) error {
		e, ok := verifiedEvent(r)
		if !ok {
			return nil
		}
		t.events++
		return take(e)
	})
}

// verifiedEvent is a record as an event; not ok where it changed no product.
func verifiedEvent(r *kgo.Record) (e verify.Event, ok bool) {
	e = verify.Event{Key: string(r.Key), Data: r.Value, Partition: r.Partition}
	for _, h := range r.Headers {
		switch h.Key {
		case "ce_sequence":
			e.Sequence, _ = strconv.ParseInt(string(h.Value), 10, 64)
		case "ce_type":
			e.Type = strings.TrimPrefix(string(h.Value), products.Service.TypePrefix)
		}
	}
	return e, e.Sequence > 0
}
