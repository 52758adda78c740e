package worker_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/kafka"
	"allocation/worker"
)

// cutKafka is a Kafka server whose logs can be cut while it is down, as an unclean election does:
// what was acknowledged is gone, and a new leader epoch begins there.
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

// cut kills the server, drops the batches of a partition's log from an offset on, and starts the
// server again.
func (k *cutKafka) cut(partition string) {
	k.t.Helper()
	require.NoError(k.t, k.server.Signal(k.t.Context(), syscall.SIGKILL))
	folder := filepath.Join(k.dir, "data", partition)
	k.rewrite(folder, func(log []byte) []byte { return log[:start(log)] })
	for _, pattern := range []string{"*.index", "*.timeindex", "*.snapshot", "../recovery-point-offset-checkpoint", "../replication-offset-checkpoint"} {
		stale, err := filepath.Glob(filepath.Join(folder, pattern))
		require.NoError(k.t, err)
		for _, f := range stale {
			require.NoError(k.t, os.Remove(f))
		}
	}
	require.NoError(k.t, k.server.Start(k.t.Context()))
}

// replace makes the batches of a partition's log from an offset on those of another leader. The
// server stops in an orderly way, or it would read its logs anew and forget where epochs began.
func (k *cutKafka) replace(partition string) {
	k.t.Helper()
	require.NoError(k.t, k.server.Signal(k.t.Context(), syscall.SIGTERM))
	folder := filepath.Join(k.dir, "data", partition)
	k.rewrite(folder, func(log []byte) []byte {
		for at := start(log); at < len(log); at += batch(log[at:]) {
			log[at+epochAt+3]++
		}
		return log
	})
	// A version, a count, and for each epoch its number and its first offset.
	require.NoError(k.t, os.WriteFile(filepath.Join(folder, "leader-epoch-checkpoint"), []byte("0\n2\n0 0\n1 6\n"), 0o644))
	require.NoError(k.t, k.server.Start(k.t.Context()))
}

func (k *cutKafka) rewrite(folder string, log func([]byte) []byte) {
	k.t.Helper()
	segments, err := filepath.Glob(filepath.Join(folder, "*.log"))
	require.NoError(k.t, err)
	for _, f := range segments {
		b, err := os.ReadFile(f)
		require.NoError(k.t, err)
		require.NoError(k.t, os.WriteFile(f, log(b), 0o644))
	}
}

const (
	cutAt   = 6
	epochAt = 12 // where a batch has its leader's epoch; the checksum does not cover it
)

// start is where the batch with the offset begins. A batch begins with its first offset and the
// length of what follows.
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
		change  func(*cutKafka, string)
		grown   int // records sent before the worker can look
		why     string
	}{
		"and grew again while no worker ran": {false, (*cutKafka).cut, 10, "the log was cut at 6 or after, and grew again beyond position 10"},
		"and grew again while a worker ran":  {true, (*cutKafka).replace, 10, "the log was cut at 6 or after, and grew again beyond position 10"},
		"while a worker ran":                 {true, (*cutKafka).cut, 0, "position 10 is beyond the end of the log, 6"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startCutKafka(t)
			p := onServers(t, server.server.Brokers(), testbed.Migrated(t))
			m := p.start()
			p.sendNames(0, 0, 10)
			p.sendNames(1, 0, 1)
			p.awaitCommitted(map[int32]int64{0: 10, 1: 1})
			if !c.running {
				require.NoError(t, m.stop())
			}
			c.change(server, p.commands+"-0")
			p.client = p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
			p.sendNames(0, 20, c.grown)
			if !c.running {
				m = p.start()
			}
			p.awaitQuarantine(m, 1, c.why)
			p.sendNames(1, 1, 1)
			p.awaitName(1, 1)
			p.decide(0, accept)
			p.sendNames(0, 30, 1)
			p.awaitName(0, 30)
			p.awaitQuarantine(m, 0, "")
			require.Len(t, p.checkIdentities(), 10+2+c.grown+1, "each command took effect once, under an identity of its own")
			require.NoError(t, m.stop())
		})
	}
}

// claimless is a store that refuses some claims, as in an outage.
type claimless struct {
	worker.Store
	refuses *atomic.Int32 // how many claims are made before those that are refused, and these
}

const outage = 12 // claims

func (c claimless) Claim(ctx context.Context, requests []worker.ClaimRequest) ([]worker.Claim, error) {
	if n := c.refuses.Add(1); n > 1 && n <= 1+outage {
		return nil, worker.ErrOutage
	}
	return c.Store.Claim(ctx, requests)
}

// Records come of a leader newer than the one that Kafka names. In an outage of Postgres many
// claims fail, which have compared nothing: those that are made after it do, before the records are
// applied without that.
func TestPromise8_claimsThatFailedCompareNoLeader(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	server := startCutKafka(t)
	p := onServers(t, server.server.Brokers(), testbed.Migrated(t))
	m := p.start()
	p.sendNames(0, 0, cutAt)
	p.awaitCommitted(map[int32]int64{0: cutAt})
	require.NoError(t, m.stop())
	p.sendNames(0, cutAt, 1)
	server.raiseEpochs(p.commands + "-0")

	claimed := p.claims()
	p.startWith(func(s worker.Store) worker.Store { return claimless{s, &atomic.Int32{}} })
	p.awaitName(0, cutAt)
	require.Greater(t, p.claims()-claimed, 4+10, "of its four partitions at first, and then of the one")
}

// raiseEpochs gives batches from an offset on the epoch of a leader that the running server does
// not know.
func (k *cutKafka) raiseEpochs(partition string) {
	k.t.Helper()
	segments, err := filepath.Glob(filepath.Join(k.dir, "data", partition, "*.log"))
	require.NoError(k.t, err)
	for _, f := range segments {
		log, err := os.ReadFile(f)
		require.NoError(k.t, err)
		file, err := os.OpenFile(f, os.O_WRONLY, 0)
		require.NoError(k.t, err)
		for at := start(log); at < len(log); at += batch(log[at:]) {
			_, err := file.WriteAt([]byte{1}, int64(at+epochAt+3))
			require.NoError(k.t, err)
		}
		require.NoError(k.t, file.Close())
	}
}
