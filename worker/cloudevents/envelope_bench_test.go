package worker

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

// BenchmarkDecodeEnvelope reads the envelope of a command in binary mode.
func BenchmarkDecodeEnvelope(b *testing.B) {
	r := &kgo.Record{
		Key: []byte("a"), Value: []byte(`{"key":"a","name":"o2","n":20}`),
		Headers: []kgo.RecordHeader{
			{Key: "content-type", Value: []byte("application/json")}, {Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_type", Value: []byte("counters.v1.Add")}, {Key: "ce_id", Value: []byte("cmd-4711")},
		},
	}
	var cause outbox.Cause
	topic := &Topic{Prefix: testPrefix}
	b.ReportAllocs()
	for b.Loop() {
		if c := decode(r, topic, &cause); c.Refusal != nil {
			b.Fatal(c.Refusal)
		}
	}
}
