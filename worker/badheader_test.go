package worker_test

import (
	"encoding/binary"
	"hash/crc32"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// miscount makes the last batch of a partition's log say that it has less than no records, with a
// checksum that is right. No broker takes such a batch from a producer; so the file is written
// while the server is down.
func (k *cutKafka) miscount(partition string) {
	k.t.Helper()
	require.NoError(k.t, k.server.Signal(k.t.Context(), syscall.SIGTERM))
	k.rewrite(filepath.Join(k.dir, "data", partition), func(log []byte) []byte {
		last := 0
		for at := 0; at < len(log); at += batch(log[at:]) {
			last = at
		}
		const sumAt, summed, recordsAt = 17, 21, 57
		b := log[last:]
		binary.BigEndian.PutUint32(b[recordsAt:], 0xffff_fffe)
		binary.BigEndian.PutUint32(b[sumAt:], crc32.Checksum(b[summed:], crc32.MakeTable(crc32.Castagnoli)))
		return log
	})
	require.NoError(k.t, k.server.Start(k.t.Context()))
}

// Where a batch is too large and its header cannot be true, nobody can tell which commands are in
// it: an operator decides.
func TestPromise8_aBatchThatIsTooLargeAndWhoseHeaderCannotBeRead(t *testing.T) {
	t.Parallel()
	server := startCutKafka(t)
	p := onServers(t, server.server.Brokers(), testbed.Migrated(t))
	p.sendNames(0, 0, 1)
	testbed.PackedBatch{Codec: kgo.CodecZstd, Records: testbed.Many(1, testbed.PackedRecord{Zeros: 64 << 20})}.Produce(t, strings.Split(p.brokers, ","), p.commands, 0)
	server.miscount(p.commands + "-0")
	p.client = p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	p.sendNames(0, 10, 1)
	p.sendNames(1, 0, 1)
	m := p.start()
	p.awaitQuarantine(m, 1, "the batch of records at offset 1 unpacks to more than a worker has room for, and its header cannot be read: it is about offsets 1 to 1 and -2 records")
	p.awaitName(0, 0)
	p.awaitName(1, 0)
	require.Zero(t, p.number(`select count(*) from dead_letters`), "what nobody can name is no dead letter")
	p.decide(0, 2)
	p.awaitName(0, 10)
	p.awaitQuarantine(m, 0, "")
	require.NoError(t, m.stop())
}
