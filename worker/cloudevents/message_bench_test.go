package cloudevents

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

// BenchmarkRead reads the envelope of a command in binary mode.
func BenchmarkRead(b *testing.B) {
	r := &kgo.Record{
		Key: []byte("a"), Value: []byte(`{"key":"a","name":"o2","n":20}`),
		Headers: []kgo.RecordHeader{
			{Key: "content-type", Value: []byte("application/json")}, {Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_type", Value: []byte("counters.v1.Add")}, {Key: "ce_id", Value: []byte("cmd-4711")},
		},
	}
	var cause outbox.Cause
	types := &Types{Prefix: testPrefix}
	b.ReportAllocs()
	for b.Loop() {
		if m := Read(r, types, &cause); m.Problem != "" {
			b.Fatal(m.Problem)
		}
	}
}
