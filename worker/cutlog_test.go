package worker_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/kafka"
)

// cutKafka is a Kafka server whose logs can be cut while it is down, as an unclean election does: what was acknowledged is gone, and a new
// leader epoch begins there.
type cutKafka struct {
	t      *testing.T
	dir    string
	server *kafka.Server
}

func startCutKafka(t *testing.T) *cutKafka {
	t.Helper()
	k := &cutKafka{t: t, dir: t.TempDir()}
	var err error
	k.server, err = kafka.Open(t.Context(), k.dir, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = k.server.Close() })
	return k
}

// cut stops the server, cuts a partition's log at an offset, and starts the server again.
func (k *cutKafka) cut(partition string, at int64) {
	k.t.Helper()
	require.NoError(k.t, k.server.Signal(k.t.Context(), syscall.SIGKILL))
	folder := filepath.Join(k.dir, "data", partition)
	files, err := os.ReadDir(folder)
	require.NoError(k.t, err)
	for _, f := range files {
		switch filepath.Ext(f.Name()) {
		case ".log":
			cutSegment(k.t, filepath.Join(folder, f.Name()), at)
		case ".index", ".timeindex", ".snapshot":
			require.NoError(k.t, os.Remove(filepath.Join(folder, f.Name())))
		}
	}
	for _, checkpoint := range []string{"recovery-point-offset-checkpoint", "replication-offset-checkpoint"} {
		require.NoError(k.t, os.RemoveAll(filepath.Join(k.dir, "data", checkpoint)))
	}
	require.NoError(k.t, k.server.Start(k.t.Context()))
}

// cutSegment drops the batches of records from an offset on. A batch begins with its first offset and the length of what follows.
func cutSegment(t *testing.T, path string, at int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	size := 0
	for size+12 <= len(b) && int64(binary.BigEndian.Uint64(b[size:])) < at && binary.BigEndian.Uint32(b[size+8:]) > 0 {
		size += 12 + int(binary.BigEndian.Uint32(b[size+8:]))
	}
	require.NoError(t, os.Truncate(path, int64(size)))
}

func TestPromise8_aLogThatWasCutAndGrewAgain(t *testing.T) {
	for name, running := range map[string]bool{"while no worker runs": false, "while a worker runs": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startCutKafka(t)
			p := onServers(t, server.server.Brokers(), testbed.Database(t))
			m := p.start()
			p.sendBatches(0, 0, 10)
			p.sendBatches(1, 0, 1)
			p.awaitCommitted(map[int32]int64{0: 10, 1: 1})
			if !running {
				require.NoError(t, m.stop())
			}
			server.cut(p.commands+"-0", 6)
			p.client = p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
			p.sendBatches(0, 20, 10) // offsets 6 to 15: others than those that were applied
			if !running {
				m = p.start()
			}
			p.awaitQuarantine(m, 1, "(the log was cut at 6 or after, and grew again beyond position 10)|(position 10 is beyond the end of the log)")
			p.sendBatches(1, 1, 1)
			p.awaitBatch(1, 1)
			p.decide(0, accept)
			p.awaitBatch(0, 29)
			p.awaitQuarantine(m, 0, "")
			p.awaitCommitted(map[int32]int64{0: 16, 1: 2})
			require.Len(t, p.checkIdentities(), 22, "each command took effect once, under an identity of its own")
		})
	}
}
