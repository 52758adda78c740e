package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/store"
	"allocation/worker"
)

// packedAdds is a batch of records that is too large: a counter to which so much is added, and
// among that what is no command.
func packedAdds(n int, codec kgo.CompressionCodecType) testbed.PackedBatch {
	b := testbed.PackedBatch{Codec: codec, Records: []testbed.PackedRecord{{Value: []byte("{")}, packed(create("a", "first", 0))}}
	for i := range n {
		if i == n/2 {
			b.Records = append(b.Records, testbed.PackedRecord{Key: []byte("large"), Zeros: 33 << 20})
		}
		b.Records = append(b.Records, packed(add("a", fmt.Sprint("o", i))))
	}
	return b
}

// rereading is a pipeline, and an operator's connection.
type rereading struct {
	*pipeline
	db *store.Store
}

func setupRereading(t *testing.T) *rereading {
	t.Helper()
	p := setup(t, 1)
	p.setTopic(p.commands, "max.message.bytes", "4194304") // snappy packs 21 to 1 at most
	return &rereading{p, p.store()}
}

// retry has the dead letter at an offset of partition 0 read again.
func (p *rereading) retry(offset, room int64) {
	p.t.Helper()
	d := store.Decision{IDs: []store.RecordID{{Topic: p.commands, Offset: offset}}, MaxBytes: room}
	_, err := p.db.Decide(p.t.Context(), d)
	require.NoError(p.t, err)
}

// letter is what the database has of a batch's dead letter.
func (p *rereading) letter() (l store.LetterBatch, state string) {
	p.t.Helper()
	list, err := p.db.Letters(p.t.Context(), store.LetterFilter{Reasons: []string{"too_large"}}, store.LetterStates(), 10)
	require.NoError(p.t, err)
	for _, l := range list.Letters {
		if l.Batch != nil && l.Batch.Records > 1 {
			return *l.Batch, l.State
		}
	}
	return l, ""
}

func (p *rereading) awaitLetter(state string) {
	p.t.Helper()
	testbed.Eventually(p.t, func() bool { _, is := p.letter(); return is == state })
}

// requireAdds wants all additions of the batch to have been made once, in their order, and events
// that say so, named after their commands' offsets.
func (p *rereading) requireAdds(at int64, n int) {
	p.t.Helper()
	const others = 2 + 1 // the two counters; and what is added behind the batch
	p.awaitDistinct(n + others)
	made := int64(0)
	for _, r := range p.checkIdentities() {
		if header(r, "ce_type") != typePrefix+"Added" || header(r, "ce_partitionkey") != "a" {
			continue
		}
		made++
		var number, sequence int64
		_, err := fmt.Sscanf(header(r, "ce_subject"), "o%d", &number)
		require.NoError(p.t, err)
		_, err = fmt.Sscanf(header(r, "ce_sequence"), "%d", &sequence)
		require.NoError(p.t, err)
		require.Equal(p.t, number+2, sequence, "they take effect one after the other")
		offset := at + 2 + number
		if number >= int64(n/2) {
			offset++ // behind what is no command
		}
		require.Contains(p.t, header(r, "ce_id"), fmt.Sprintf(".0.%d.0", offset))
	}
	require.EqualValues(p.t, n, made)
	require.Equal(p.t, n, p.number(`select value from counters where key = 'a'`))
}

func TestPromise1_aBatchThatIsReadAgainTakesEffectOnce(t *testing.T) {
	for name, codec := range map[string]kgo.CompressionCodecType{"zstd": kgo.CodecZstd, "snappy": kgo.CodecSnappy} {
		t.Run(name, func(t *testing.T) {
			p := setupRereading(t)
			const n = 1500
			at, _ := packedAdds(n, codec).Produce(t, strings.Split(p.brokers, ","), p.commands, 0)
			p.send(0, create("b", "other", 50), add("b", "later"))
			m := p.start()
			p.awaitLetter(store.LetterOpen)
			p.retry(at, 1<<20)
			testbed.Eventually(p.t, func() bool { l, state := p.letter(); return state == store.LetterOpen && l.Problem != "" })
			l, _ := p.letter()
			require.Equal(t, "it unpacks to more than the 1048576 bytes that --max-bytes allowed", l.Problem)
			if codec != kgo.CodecSnappy {
				require.EqualValues(t, at+2+n/2, *l.Next, "what came before is applied")
			}
			p.retry(at, 64<<20)
			p.awaitLetter(store.LetterRetried)
			p.requireAdds(at, n)
			require.Equal(t, 2, p.number(`select count(*) from dead_letters where reason = 'malformed' and state = 'open' and batch_last is null and command_offset in ($1, $2)`,
				at, at+2+n/2), "what is no command")
			require.Equal(t, 33<<20, p.number(`select length(value) from dead_letters where record_key = 'large'`))
			require.Equal(t, 1, p.number(`select count(*) from outbox where type = 'dlq-retried' and command_offset = $1`, at))
			_, err := p.db.Decide(t.Context(), store.Decision{IDs: []store.RecordID{{Topic: p.commands, Offset: at}}})
			require.NoError(t, err, "that is the batch's first record by now, and refused again")
			testbed.Eventually(p.t, func() bool { return p.number(`select count(*) from dead_letters where state = 'retrying'`) == 0 })
			require.NoError(t, m.stop())
		})
	}
}

// Whatever else fails, nothing of the batch is applied twice or left out.
func TestPromise1_aBatchThatIsReadAgainWhileMuchFails(t *testing.T) {
	p := setupRereading(t)
	const n = 1500
	at, _ := packedAdds(n, kgo.CodecZstd).Produce(t, strings.Split(p.brokers, ","), p.commands, 0)
	p.send(0, create("b", "other", 50), add("b", "later"))
	var applications atomic.Int64
	m := p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
		if transaction.Reread == nil {
			return real.Apply(ctx, transaction)
		}
		switch applications.Add(1) % 7 {
		case 1:
			return worker.Applied{}, errors.New("something fails")
		case 2:
			return worker.Applied{}, worker.ErrConflict
		case 3:
			if _, err := real.Apply(ctx, transaction); err != nil {
				return worker.Applied{}, err
			}
			return worker.Applied{}, worker.ErrUnknownOutcome
		}
		return real.Apply(ctx, transaction)
	})
	p.awaitLetter(store.LetterOpen)
	p.retry(at, 64<<20)
	p.awaitLetter(store.LetterRetried)
	p.requireAdds(at, n)
	require.NoError(t, m.stop())
}

// What Kafka does not keep any more cannot be read again, and the letter says so.
func TestPromise8_aBatchThatIsGoneIsNotSkippedSilently(t *testing.T) {
	p := setupRereading(t)
	at, _ := packedAdds(10, kgo.CodecZstd).Produce(t, strings.Split(p.brokers, ","), p.commands, 0)
	p.send(0, create("b", "other", 50))
	m := p.start()
	p.awaitLetter(store.LetterOpen)
	p.awaitCommitted(map[int32]int64{0: at + 14})
	p.deleteRecords(0, at+13)
	p.retry(at, 64<<20)
	testbed.Eventually(p.t, func() bool { l, state := p.letter(); return state == store.LetterOpen && l.Problem != "" })
	l, _ := p.letter()
	require.Equal(t, fmt.Sprintf("Kafka does not keep the record at offset %d any more", at), l.Problem)
	require.NoError(t, m.stop())
}
