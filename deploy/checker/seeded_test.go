package checker

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCheck_findsErrorsOfDeadLetters: each error in what became of dead letters is found and named.
func TestCheck_findsErrorsOfDeadLetters(t *testing.T) {
	t.Parallel()
	refused := place{worldCommands, 0, 0}
	retried := func(w *world) {
		w.do(0, "Allocate", order1)
		w.do(0, "CreateBatch", batch1)
		w.retry(refused)
		w.do(0, "Allocate", order2)
	}
	for name, seed := range map[string]struct {
		play  func(*world)
		spoil func(*History)
		rule  string
		sku   string
		words []string
	}{
		"a retry was applied twice": {func(w *world) {
			w.do(0, "", reduce1)
			w.do(0, "CreateBatch", batch1)
			at := place{"quantities", 0, 0}
			w.retry(at)
			w.do(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":9}`)
			w.decideNow(at, 2)
		}, nil, RuleEffect, "CHAIR", []string{"quantities.0.0", "it took effect before, too"}},
		"a retry that nobody asked for": {func(w *world) {
			w.do(0, "Allocate", order1)
			w.do(0, "CreateBatch", batch1)
			w.decideNow(refused, 1)
		}, nil, RuleEffect, "CHAIR", []string{"commands.0.0", "refused as unknown_sku, and no operator had it applied again"}},
		"a retry that was lost": {retried, func(h *History) {
			h.Tables.Letters[0].State = stateOpen
			h.Tables.Outbox = slices.DeleteFunc(h.Tables.Outbox, func(o OutboxRow) bool { return strings.HasPrefix(o.Type, decisionType) })
		}, RuleLetter, "", []string{"the decision retried of commands.0.0 was published, but is not in the outbox"}},
		"a decision that was not published": {retried, func(h *History) {
			h.Letters = slices.DeleteFunc(h.Letters, func(p Packed) bool { return p.header("dlq-decision") != "" })
		}, RuleLetter, "", []string{"commands.0.0 is retried; the outbox has the decisions [retried], published were []"}},
		"a retry whose events are numbered from 0": {retried, func(h *History) {
			for i, p := range h.Events {
				if p.header("ce_sequence") == "0000000000000000002" {
					h.Events[i] = p.withHeader("ce_id", "AAAAAAAAAAAAAAAAAAAAAA.0.0.0")
				}
			}
		}, RuleRepeat, "CHAIR", []string{"commands.0.0", "other bytes"}},
		"a discarded letter took effect": {func(w *world) {
			hold(w)
			w.decideNow(place{worldCommands, 0, 1}, 0)
			w.discard(place{worldCommands, 0, 1})
		}, nil, RuleEffect, "CHAIR", []string{"commands.0.1", "its dead letter was discarded"}},
		"a held command overtook the one that holds it": {func(w *world) {
			w.do(0, "CreateBatch", batch1)
			w.do(0, "Allocate", `{"orderid":"poison","sku":"CHAIR","qty":3}`)
			w.base.held = map[string]place{}
			w.do(0, "Allocate", order1)
			w.retry(place{worldCommands, 0, 1})
		}, nil, RuleEffect, "CHAIR", []string{"commands.0.1 took effect (sequence 3) after that at commands.0.2 (sequence 2)"}},
		"a command overtook a product that is still held": {func(w *world) {
			hold(w)
			w.decideNow(w.passOver(0, "Allocate", order3), 0)
		}, nil, RuleHeld, "CHAIR", []string{"commands.0.5 overtook that at commands.0.1", "held by the dead letter of commands.0.1"}},
		"a command overtook a waiting one of its partition": {func(w *world) {
			hold(w)
			w.decideNow(w.passOver(1, "Allocate", order3), 0)
		}, nil, RuleHeld, "CHAIR", []string{"commands.1.1 overtook that at commands.1.0"}},
		"commands wait for a product that is not held": {hold, func(h *History) { h.Tables.HeldKeys = nil },
			RuleHeld, "CHAIR", []string{"commands.1.0 waits for it, but it is not held"}},
		"an open failure holds nothing": {hold, func(h *History) { h.Tables.HeldKeys = nil },
			RuleHeld, "CHAIR", []string{"commands.0.1 is open and holds no key"}},
		"a product is held by a letter that was discarded": {hold, func(h *History) { h.Tables.Letters[0].State = stateDiscarded },
			RuleHeld, "CHAIR", []string{"held by the dead letter of commands.0.1, which is discarded"}},
		"a waiting command was lost": {hold, func(h *History) { h.Tables.HeldCommands = h.Tables.HeldCommands[:1] },
			RuleHeld, "CHAIR", []string{"commands.0.3 overtook"}},
		"a waiting command has another value": {hold, func(h *History) { h.Tables.HeldCommands[0].Value = []byte("x") },
			RuleHeld, "CHAIR", []string{"waits with another value: x"}},
		"waiting commands changed places": {func(w *world) { hold(w); w.do(0, "Allocate", order3) }, func(h *History) {
			rows := h.Tables.HeldCommands
			rows[1], rows[2] = rows[2], rows[1]
		}, RuleHeld, "CHAIR", []string{"commands.0.3 waits behind that at commands.0.5"}},
		"a decision was not carried out": {hold, func(h *History) { h.Tables.Letters[0].State = "retrying" },
			RuleHeld, "", []string{"commands.0.1 is retrying: what was decided is not done yet"}},
		"a letter without its value tells another size": {func(w *world) { w.do(0, "Allocate", order1) }, func(h *History) {
			withoutValue(h, 1)
		}, RuleLetter, "", []string{`its dlq-value-bytes is "1"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(3)
			seed.play(w)
			h := w.end()
			if seed.spoil != nil {
				requireNothing(t, h)
				seed.spoil(h)
			}
			requireFound(t, h, seed.rule, seed.sku, seed.words...)
		})
	}
}

// withoutValue publishes the first dead letter as one that was too large.
func withoutValue(h *History, size int) {
	h.Letters[0] = h.Letters[0].altered(func(r *Record) {
		r.Value = nil
		r.Headers = append(r.Headers, Header{"dlq-value-bytes", []byte(strconv.Itoa(size))})
	})
}

func TestCheck_passesALetterThatWasTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.do(0, "Allocate", order1)
	h := w.end()
	withoutValue(h, len(order1))
	requireNothing(t, h)
	h.Letters[0] = h.Letters[0].altered(func(r *Record) { // and too large even so
		r.Key, r.Headers = nil, append(r.Headers[1:], Header{"dlq-key-bytes", []byte("0")}, Header{"dlq-headers-bytes", []byte("29")})
	})
	requireNothing(t, h)
}

func TestCheck_findsErrorsOfTimelines(t *testing.T) {
	t.Parallel()
	for name, seed := range map[string]struct {
		play  func(*world)
		spoil func(*History)
		rule  string
		words []string
	}{
		"a lost timeline that nobody told of": {failOver, func(h *History) { h.TimelineChanges = 0 }, RuleRepeat, []string{"event 0 of commands", "other bytes"}},
		"an event of no timeline, of a product of one partition": {func(w *world) {
			w.do(0, "CreateBatch", batch1)
			w.do(0, "Allocate", order1)
			w.failOver(1)
			w.apply(topicPartition{worldCommands, 0})
		}, func(h *History) { h.Events = append(h.Events, inOtherWords(h.Events[1])) }, RulePhantom, []string{"a timeline that the database lost", "all came by one partition"}},
		"an event of no command": {failOver, func(h *History) {
			h.Events = append(h.Events, h.Events[1].withHeader("ce_id", "AAAAAAAAAAAAAAAAAAAAAA.0.77.0"))
		}, RulePhantom, []string{"no command stands at commands.0.77"}},
		"a surviving event that was not published": {failOver, func(h *History) { h.Events = h.Events[:len(h.Events)-1] }, RuleOutbox, []string{"event 0 of commands.0.1", "which was never published"}},
		"surviving events that were published in another order": {failOver, func(h *History) {
			n := len(h.Events)
			h.Events[n-1], h.Events[n-2] = h.Events[n-2], h.Events[n-1]
		}, RuleOrder, []string{"sequence 3", "is not published after sequence 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(3)
			seed.play(w)
			h := w.end()
			requireNothing(t, h)
			seed.spoil(h)
			requireFound(t, h, seed.rule, skuOf(seed.rule), seed.words...)
		})
	}
}

// skuOf is the product that a violation names: the outbox alone knows none.
func skuOf(rule string) string {
	if rule == RuleOutbox {
		return ""
	}
	return "CHAIR"
}

func TestCheck_findsWhatKafkaLost(t *testing.T) {
	t.Parallel()
	w := newWorld(2)
	w.do(0, "CreateBatch", batch1)
	h := w.end()
	h.compareWith(slices.Values([]Record{{Topic: worldCommands}, {Topic: worldCommands, Partition: 1}}))
	requireFound(t, h, RuleInput, "", "acknowledged the command at commands.1.0")
	require.Len(t, h.Lost, 1)
}
