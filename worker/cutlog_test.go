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

// rewrite stops the server, rewrites a partition's log, and starts the server again.
func (k *cutKafka) rewrite(partition string, log func([]byte) []byte) {
	k.t.Helper()
	require.NoError(k.t, k.server.Signal(k.t.Context(), syscall.SIGKILL))
	folder := filepath.Join(k.dir, "data", partition)
	files, err := os.ReadDir(folder)
	require.NoError(k.t, err)
	for _, f := range files {
		path := filepath.Join(folder, f.Name())
		switch filepath.Ext(path) {
		case ".log":
			b, err := os.ReadFile(path)
			require.NoError(k.t, err)
			require.NoError(k.t, os.WriteFile(path, log(b), 0o644))
		case ".index", ".timeindex", ".snapshot":
			require.NoError(k.t, os.Remove(path))
		}
	}
	for _, checkpoint := range []string{"recovery-point-offset-checkpoint", "replication-offset-checkpoint"} { // or the log is not read again
		require.NoError(k.t, os.RemoveAll(filepath.Join(k.dir, "data", checkpoint)))
	}
	require.NoError(k.t, k.server.Start(k.t.Context()))
}

const cutAt = 6

// cut drops the batches of records from an offset on.
func cut(log []byte) []byte { return log[:start(log)] }

// other makes the batches from an offset on those of another leader.
func other(log []byte) []byte {
	const epoch = 12 // where a batch has it; the checksum does not cover it
	for at := start(log); at < len(log); at += batch(log[at:]) {
		log[at+epoch+3]++
	}
	return log
}

// start is where the batch with the offset begins. A batch begins with its first offset and the length of what follows.
func start(log []byte) (at int) {
	for at < len(log) && binary.BigEndian.Uint64(log[at:]) < cutAt {
		at += batch(log[at:])
	}
	return at
}

func batch(b []byte) int { return 12 + int(binary.BigEndian.Uint32(b[8:])) }

func TestPromise8_aLogThatWasCut(t *testing.T) {
	for name, c := range map[string]struct {
		running bool
		log     func([]byte) []byte
		grown   int // records sent before the worker can look
		why     string
	}{
		"and grew again while no worker ran": {false, cut, 10, "the log was cut at 6 or after, and grew again beyond position 10"},
		"and grew again while a worker ran":  {true, other, 10, "the log was cut at 6 or after, and grew again beyond position 10"},
		"while a worker ran":                 {true, cut, 0, "position 10 is beyond the end of the log, 6"},
		"while no worker ran":                {false, cut, 0, "position 10 is beyond the end of the log, 6"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startCutKafka(t)
			p := onServers(t, server.server.Brokers(), testbed.Database(t))
			m := p.start()
			p.sendBatches(0, 0, 10)
			p.sendBatches(1, 0, 1)
			p.awaitCommitted(map[int32]int64{0: 10, 1: 1})
			if !c.running {
				require.NoError(t, m.stop())
			}
			server.rewrite(p.commands+"-0", c.log)
			p.client = p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
			p.sendBatches(0, 20, c.grown)
			if !c.running {
				m = p.start()
			}
			p.awaitQuarantine(m, 1, c.why)
			p.sendBatches(1, 1, 1)
			p.awaitBatch(1, 1)
			p.decide(0, accept)
			p.sendBatches(0, 30, 1)
			p.awaitBatch(0, 30)
			p.awaitQuarantine(m, 0, "")
			require.Len(t, p.checkIdentities(), 10+2+c.grown+1, "each command took effect once, under an identity of its own")
			require.NoError(t, m.stop())
		})
	}
}
