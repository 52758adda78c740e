package worker_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// The built program stays small whatever a producer sends within the brokers' limits: batches that
// unpack to too much, and those that just do not.
func TestPromise7_staysSmallWhateverAProducerSends(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, 4)
	zeros := func(n int) testbed.PackedRecord { return testbed.PackedRecord{Zeros: n} }
	hostile := map[string]testbed.PackedBatch{
		"just small enough, zstd":   {Codec: kgo.CodecZstd, Records: many(1, zeros(25<<20))},
		"just small enough, gzip":   {Codec: kgo.CodecGzip, Records: many(1, zeros(25<<20))},
		"just small enough, lz4":    {Codec: kgo.CodecLz4, Records: many(1, zeros(25<<20))},
		"just small enough, snappy": {Codec: kgo.CodecSnappy, Records: many(1, zeros(19<<20))},
		"as many values":            {Codec: kgo.CodecZstd, Records: many(8, zeros(3<<20))},
		"as many records":           {Codec: kgo.CodecZstd, Records: many(600_000, testbed.PackedRecord{})},
		"as many headers":           {Codec: kgo.CodecZstd, Records: many(1, testbed.PackedRecord{Headers: make([]kgo.RecordHeader, 700_000)})},
		"a fetch of small records":  {Codec: kgo.CodecNone, Records: many(110_000, testbed.PackedRecord{})},
	}
	for name, bomb := range bombs() {
		hostile[name] = bomb
	}
	for name, batch := range hostile {
		for partition := range int32(4) {
			if len(batch.Records) > 1000 && partition > 0 && name != "many records" {
				continue // each is a dead letter
			}
			_, size := batch.Produce(t, strings.Split(p.brokers, ","), p.commands, partition)
			t.Logf("%s: %d bytes", name, size)
		}
	}
	program := p.startProgram()
	most := 0
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	end := p.recordsSent()
	for deadline := time.Now().Add(4 * time.Minute); p.number(`select coalesce(sum(next_offset), 0) from positions`) < end; <-look.C {
		most = max(most, residentMiB(t, program.Process.Pid))
		require.True(t, time.Now().Before(deadline), "not applied in time; %d MiB at most", most)
	}
	t.Logf("%d MiB at most", most)
	require.Less(t, most, maxWorkerMiB)
	require.NoError(t, program.Process.Signal(syscall.SIGTERM))
	require.NoError(t, program.Wait())
}

// recordsSent is how many records the command topic has.
func (p *pipeline) recordsSent() (n int) {
	p.t.Helper()
	ends, err := kadm.NewClient(p.client).ListEndOffsets(p.t.Context(), p.commands)
	require.NoError(p.t, err)
	ends.Each(func(o kadm.ListedOffset) { n += int(o.Offset) })
	return n
}
