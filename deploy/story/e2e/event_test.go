package e2e

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// event is what TestStops looks at.
type event struct {
	kind, line string
	of         time.Time // when its command was written
}

func readEvent(r *kgo.Record) (e event) {
	for _, h := range r.Headers {
		switch h.Key {
		case "ce_type":
			e.kind = string(h.Value[strings.LastIndexByte(string(h.Value), '.')+1:])
		case "ce_time":
			e.of, _ = time.Parse(time.RFC3339Nano, string(h.Value))
		}
	}
	var d struct{ OrderID, LineID string }
	_ = json.Unmarshal(r.Value, &d)
	e.line = d.OrderID + " " + d.LineID
	return e
}

// each gives all records of topics.
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

// waited are the lines that had to wait for goods: nothing was slow.
func (s *services) waited() map[string]bool {
	waited := map[string]bool{}
	s.each([]string{topics.StockEvents}, func(r *kgo.Record) {
		if e := readEvent(r); e.kind == "OutOfStock" {
			waited[e.line] = true
		}
	})
	return waited
}
