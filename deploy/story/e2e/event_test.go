package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// event is what TestStops looks at, or a command.
type event struct {
	kind, line, shipment, reason string
	of                           time.Time // when its command was written
	published                    time.Time
}

func readEvent(r *kgo.Record) event {
	e := event{published: r.Timestamp}
	for _, h := range r.Headers {
		switch h.Key {
		case "ce_type":
			e.kind = string(h.Value[strings.LastIndexByte(string(h.Value), '.')+1:])
		case "ce_time":
			e.of, _ = time.Parse(time.RFC3339Nano, string(h.Value))
		}
	}
	var d struct {
		SKU, OrderID, LineID, Reason string
		Shipment                     int64
	}
	_ = json.Unmarshal(r.Value, &d)
	e.line, e.shipment, e.reason = d.OrderID+" "+d.LineID, fmt.Sprint(d.SKU, ".", d.Shipment), d.Reason
	return e
}

// each gives all records of topics, each partition's in order.
func (s *services) each(names []string, take func(*kgo.Record)) {
	client := testbed.Reader(s.t, s.kafka.Brokers(), names...)
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(s.t.Context(), names...)
	require.NoError(s.t, err)
	left := int64(0)
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	for left > 0 {
		client.PollFetches(s.t.Context()).EachRecord(func(r *kgo.Record) {
			left--
			take(r)
		})
	}
}
