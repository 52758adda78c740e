package worker_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/store"
)

// The built program is killed while it reads a batch again, in its middle.
func TestPromise1_aBatchThatIsReadAgainByWorkersThatAreKilled(t *testing.T) {
	p := setupRereading(t)
	const n = 1500
	batch := packedOrders(n, kgo.CodecZstd)
	tail := testbed.PackedRecord{Value: []byte(`{"ref":"b3","sku":"LOCKED","qty":50}`), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.CreateBatch")}}}
	const middle = 1000
	batch.Records = append(batch.Records[:middle:middle], append([]testbed.PackedRecord{tail}, batch.Records[middle:]...)...)
	p.send(0, "CreateBatch", `{"ref":"b2","sku":"LOCKED","qty":50}`)
	at, _ := batch.Produce(t, strings.Split(p.brokers, ","), p.commands, 0)
	program := p.startProgram()
	p.awaitLetter(store.LetterOpen)
	someone := p.outsider()
	someone.locks(`select from products where sku = 'LOCKED' for update`)
	p.retry(at, 64<<20)
	for range 2 {
		p.eventually(time.Minute, func() bool { l, _ := p.letter(); return l.Next != nil && *l.Next == at+middle })
		require.NoError(t, program.Process.Kill())
		_ = program.Wait()
		program = p.startProgram()
	}
	someone.releases()
	p.awaitLetter(store.LetterRetried)
	p.eventually(time.Minute, func() bool { return p.number(`select allocated from batches where ref = 'b1'`) == n })
	p.awaitDistinct(n + 3)
	p.checkIdentities()
	require.Equal(t, 50, p.number(`select qty from batches where ref = 'b3'`))
	require.NoError(t, program.Process.Signal(syscall.SIGTERM))
	require.NoError(t, program.Wait())
}

// The built program stays small while it reads a batch again, however large that is, but for its
// largest record.
func TestPromise7_staysSmallWhileItReadsABatchAgain(t *testing.T) {
	p := setupRereading(t)
	batch := testbed.PackedBatch{Codec: kgo.CodecZstd, Records: many(300, testbed.PackedRecord{Zeros: 3 << 20})}
	at, _ := batch.Produce(t, strings.Split(p.brokers, ","), p.commands, 0)
	program := p.startProgram()
	p.awaitLetter(store.LetterOpen)
	p.retry(at, 1<<30)
	most := 0
	p.eventually(4*time.Minute, func() bool {
		most = max(most, residentMiB(t, program.Process.Pid))
		_, state := p.letter()
		return state == store.LetterRetried
	})
	require.Equal(t, 300, p.number(`select count(*) from dead_letters where reason = 'malformed'`))
	t.Logf("%d MiB at most", most)
	require.Less(t, most, maxWorkerMiB)
	require.NoError(t, program.Process.Signal(syscall.SIGTERM))
	require.NoError(t, program.Wait())
}
