package worker_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// deafness keeps a client's fetches from ever being answered, and nothing else: they have
// connections of their own.
type deafness struct {
	on   atomic.Bool
	lost atomic.Int32 // requests
}

func (d *deafness) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &deafConn{Conn: conn, to: d}, nil
}

type deafConn struct {
	net.Conn
	to *deafness
}

// Write loses fetches. The key of a request is behind its length.
func (c *deafConn) Write(b []byte) (int, error) {
	const fetch = 1
	if c.to.on.Load() && len(b) > 6 && b[4] == 0 && b[5] == fetch {
		c.to.lost.Add(1)
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// A partition that is behind, and from which nothing comes without any error, is seen: in the log,
// once; in a metric; in the notes of readiness, and where none of the worker's partitions can move
// in its reasons; and by who looks at the database from elsewhere.
func TestWorker_saysThatNothingComesFromAPartition(t *testing.T) {
	testbed.Long(t)
	p := setup(t, 2)
	p.stall = time.Second
	var deaf deafness
	p.options = []kgo.Opt{kgo.Dialer(deaf.dial)}
	m := p.start()
	p.sendNames(0, 0, 1)
	p.sendNames(1, 0, 1)
	p.awaitCommitted(map[int32]int64{0: 1, 1: 1})
	require.Zero(t, m.gauge("partitions_not_fetched"))

	deaf.on.Store(true)
	testbed.Eventually(p.t, func() bool { return deaf.lost.Load() > 0 }) // what was asked before is answered
	p.sendNames(0, 1, 1)
	testbed.Eventually(p.t, func() bool { return m.gauge("partitions_not_fetched") == 1 })
	require.Empty(t, m.NotReady(t.Context()), "the other can move")
	require.Len(t, m.Notes(), 1)
	require.Regexp(t, `^`+p.commands+`, partition 0: nothing comes since .*: records wait from offset 1 on, and none of them comes`, m.Notes()[0])
	testbed.Eventually(p.t, func() bool {
		return p.number(`select count(*) from fetch_troubles join positions using (source, token) where partition = 0 and why like 'records wait from offset 1 %'`) == 1
	})

	p.sendNames(1, 1, 1)
	testbed.Eventually(p.t, func() bool { return m.gauge("partitions_not_fetched") == 2 })
	require.Len(t, m.NotReady(t.Context()), 2, "none can move")
	require.Empty(t, m.Notes())
	require.Equal(t, 2, strings.Count(p.log.String(), "nothing comes from a partition, retrying"), "once each")

	deaf.on.Store(false)
	p.awaitCommitted(map[int32]int64{0: 2, 1: 2})
	testbed.Eventually(p.t, func() bool { return p.number(`select count(*) from fetch_troubles`) == 0 })
	require.Zero(t, m.gauge("partitions_not_fetched"))
	require.Empty(t, m.NotReady(t.Context()))
	require.Empty(t, m.Notes())
	require.Equal(t, 2, strings.Count(p.log.String(), "partition is fetched again"))
	require.NoError(t, m.stop())
}
