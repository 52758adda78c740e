package e2e

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// load sends what the crowd wants. While Kafka is away it waits.
type load struct {
	client *kgo.Client
	rate   int // in a second
	total  int
	sent   atomic.Int64
	failed atomic.Pointer[error]
	done   chan struct{}
	stop   func() // ends it before all is sent
}

func startLoad(t *testing.T, brokers string, c *crowd, rate int) *load {
	l := &load{client: testbed.Client(t, brokers, kgo.ProducerLinger(0), kgo.MaxBufferedRecords(2*rate), kgo.AlwaysRetryEOF()), rate: rate, total: c.commands(), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	l.stop = func() {
		cancel()
		<-l.done
	}
	go l.run(ctx, c)
	t.Cleanup(l.stop)
	return l
}

func (l *load) run(ctx context.Context, c *crowd) {
	defer close(l.done)
	const turn = 20 * time.Millisecond
	turns := time.NewTicker(turn)
	defer turns.Stop()
	for owed := 0.0; ; owed-- {
		for owed < 1 {
			select {
			case <-ctx.Done():
				return
			case <-turns.C:
				owed += float64(l.rate) * turn.Seconds()
			}
		}
		each, more := c.next()
		if !more {
			break
		}
		l.client.Produce(ctx, record(each), func(_ *kgo.Record, err error) {
			if err != nil {
				l.failed.CompareAndSwap(nil, &err)
			}
			l.sent.Add(1)
		})
	}
	if err := l.client.Flush(ctx); err != nil {
		l.failed.CompareAndSwap(nil, &err)
	}
}

func record(s step) *kgo.Record {
	return &kgo.Record{Topic: topics.OrderCommands, Key: []byte(s.shopper), Value: []byte(s.data), Headers: []kgo.RecordHeader{
		{Key: "ce_type", Value: []byte("orders.v1." + s.kind)}, {Key: "ce_id", Value: []byte(s.id)},
	}}
}

// await waits until a part of the load was sent. Kafka may be slow, but not for ever.
func (l *load) await(t *testing.T, part float64) {
	t.Helper()
	last := int64(-1)
	for float64(l.sent.Load()) < part*float64(l.total) {
		if now := l.sent.Load(); now != last {
			last = now
			testbed.Eventually(t, func() bool { return l.sent.Load() != now || float64(now) >= part*float64(l.total) }, "customers can send commands")
		}
	}
	if err := l.failed.Load(); err != nil {
		require.NoError(t, *err)
	}
}
