package checker

import (
	"bytes"
	"fmt"
	"testing"
)

// leave puts a batch of records into a partition, which a worker leaves packed.
func (w *world) leave(partition int32, values ...string) place {
	l := topicPartition{worldCommands, partition}
	first := place{l.topic, l.partition, int64(len(w.partitions[l]))}
	for _, value := range values {
		w.send(partition, "CreateBatch", value)
	}
	w.act(func(b *worldBase) { b.leave(l, first, len(values)) })
	return first
}

func (b *worldBase) leave(l topicPartition, first place, records int) {
	b.next[l] += int64(records)
	last := b.next[l] - 1
	b.letter(&command{at: first, time: b.world.record(first).Time}, Record{}, tooLarge,
		Header{"dlq-batch-last-offset", fmt.Append(nil, last)}, Header{"dlq-batch-records", fmt.Append(nil, records)})
}

func large() string { return string(bytes.Repeat([]byte("x"), packedBytes)) }

func TestCheck_passesABatchThatWasLeftPacked(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.do(0, "CreateBatch", batch1)
	w.leave(0, `{"ref":"b2","sku":"CHAIR","qty":10}`, large(), `{"ref":"b3","sku":"CHAIR","qty":10}`)
	w.do(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`)
	w.do(0, "CreateBatch", `{"ref":"b4","sku":"CHAIR","qty":20}`)
	requireNothing(t, w.end())
}

func TestCheck_findsErrorsOfABatchThatWasLeftPacked(t *testing.T) {
	t.Parallel()
	for name, seed := range map[string]struct {
		values []string
		spoil  func(*world, *History)
		rule   string
		sku    string
		words  []string
	}{
		"a small one": {[]string{batch1, batch1}, nil, RuleEffect, "", []string{"commands.0.0 to 1 was refused as too_large: its 2 records have 140 bytes"}},
		"a wrong number of records": {[]string{large(), batch1}, func(_ *world, h *History) {
			h.Letters[0] = h.Letters[0].withHeader("dlq-batch-records", "3")
		}, RuleLetter, "", []string{`says "3" records, it has 2`}},
		"no end": {[]string{large()}, func(_ *world, h *History) {
			h.Letters[0] = h.Letters[0].withHeader("dlq-batch-last-offset", "")
		}, RuleLetter, "", []string{"does not say which batch of records it is about"}},
		"with its bytes": {[]string{large()}, func(_ *world, h *History) {
			h.Letters[0] = h.Letters[0].altered(func(r *Record) { r.Value = []byte("x") })
		}, RuleLetter, "", []string{"its value is another"}},
		"a record of it took effect": {[]string{batch1, large()}, func(w *world, _ *History) {
			w.decideNow(place{worldCommands, 0, 0}, 0)
		}, RuleEffect, "", []string{"must be refused as too_large; it has 1 events"}},
		"another record of it took effect": {[]string{large(), batch1}, func(w *world, _ *History) {
			w.decideNow(place{worldCommands, 0, 1}, 0)
		}, RulePhantom, "CHAIR", []string{"commands.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(1)
			w.leave(0, seed.values...)
			h := w.end()
			if seed.spoil != nil {
				requireNothing(t, h)
				seed.spoil(w, h)
				if len(w.base.tables.Outbox) > 1 {
					h = w.end()
				}
			}
			requireFound(t, h, seed.rule, seed.sku, seed.words...)
		})
	}
}
