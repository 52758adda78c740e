package outbox

import (
	"slices"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// BenchmarkRelay hands over batches of a thousand rows from twelve sources, to a broker that throws
// them away, and counts until they are acknowledged.
func BenchmarkRelay(b *testing.B) {
	const sources, batch = 12, 1000
	s := stageOn(b, kfake.SeedTopics(12, events, deadLetters, routed), kfake.BlackholeProduce())
	r := s.relay(func(o *Options) { o.Envelope.Routes = nil })
	for id := range int32(sources) {
		s.open(r, id+1, 0)
	}
	rows := make([][]Row, sources)
	for id := range rows {
		rows[id] = make([]Row, batch)
		for i := range rows[id] {
			rows[id][i] = event("Allocated", "SKU-"+strconv.Itoa(i%100), "order-"+strconv.Itoa(i))
			rows[id][i].Value = []byte(`{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"batch-0001"}`)
			rows[id][i].Sequence = int64(i + 1)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n*batch < b.N; n++ {
		id := n % sources
		next := slices.Clone(rows[id])
		for i := range next {
			next[i].Number = int64(n/sources*batch + i)
			next[i].Offset = next[i].Number
		}
		if s.room(r) {
			r.Publish(int32(id+1), next)
		}
	}
	s.flush(r)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
