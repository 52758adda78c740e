package checker

import (
	"fmt"
	"time"
)

// differs says in what an event is not what it must be; empty where it is.
func (c *check) differs(e *event, r *Record, o *command, want expected) string {
	d, ok := readData(r.Value)
	switch {
	case c.kinds.all[e.kind] != want.kind:
		return "it is a " + c.kinds.all[e.kind]
	case e.sequence != want.sequence:
		return fmt.Sprintf("its sequence is %d", e.sequence)
	case string(r.Key) != want.data.sku:
		return fmt.Sprintf("its key is %q", r.Key)
	case !ok || d != want.data:
		return fmt.Sprintf("its data is %s", r.Value)
	}
	return c.differsInHeaders(e, r, o, want)
}

func (c *check) differsInHeaders(e *event, r *Record, o *command, want expected) string {
	headers := [...]struct{ name, value string }{
		{"content-type", "application/json"}, {"ce_specversion", "1.0"}, {"ce_type", typePrefix + want.kind}, {"ce_source", c.history.Source},
		{"ce_id", c.idOf(e)}, {"ce_time", timeOf(o.time)}, {"ce_subject", want.subject}, {"ce_partitionkey", string(r.Key)},
		{"ce_sequence", sequenceOf(want.sequence)}, {"ce_correlationid", o.correlation()}, {"ce_causationid", o.causation()},
		{"traceparent", o.traceParent}, {"tracestate", o.traceState},
	}
	left := 0
	for _, h := range headers {
		if h.value == "" {
			continue
		}
		left++
		if got := r.header(h.name); string(got) != h.value {
			return fmt.Sprintf("its header %s is %q, not %q", h.name, got, h.value)
		}
	}
	if left != len(r.Headers) {
		return fmt.Sprintf("it has %d headers, not %d", len(r.Headers), left)
	}
	return ""
}

// timeOf renders the time of a command; empty where it has none, or one that cannot be written.
func timeOf(ms int64) string {
	if t := time.UnixMilli(ms).UTC(); ms >= 0 && t.Year() <= 9999 {
		return t.Format("2006-01-02T15:04:05.000Z")
	}
	return ""
}

func sequenceOf(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%019d", n)
}

// text is an expected event for people.
func (e expected) text() string {
	return fmt.Sprintf("sequence %d, %s %s", e.sequence, e.kind, e.data.json())
}
