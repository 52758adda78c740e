package outbox

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkRender makes the record of an event.
func BenchmarkRender(b *testing.B) {
	envelope := Envelope{TypePrefix: "allocation.v1.", EventsTopic: "events", Source: "/allocation"}
	r := newRenderer(&envelope, specSource)
	row := renderings()["event"]
	row.Type, row.Key, row.Cause = "Allocated", "CHAIR", &specCause
	headers := make([]kgo.RecordHeader, 0, maxHeaders)
	b.ReportAllocs()
	for b.Loop() {
		row.Offset++
		_ = r.event(&row, headers)
	}
}
