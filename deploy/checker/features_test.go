package checker

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func requireNothing(t *testing.T, h *History) {
	t.Helper()
	violations := Check(h)
	require.Empty(t, violations, Report(violations))
}

// requireFound wants a violation of a rule whose text has all the words, and that names the
// product.
func requireFound(t *testing.T, h *History, rule, sku string, words ...string) {
	t.Helper()
	violations := Check(h)
	require.True(t, slices.ContainsFunc(violations, func(v Violation) bool {
		return v.Rule == rule && v.SKU == sku && !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(v.String(), word) })
	}), "wanted %s [%s] %q among %s", rule, sku, words, Report(violations))
}

const (
	batch1  = `{"ref":"b1","sku":"CHAIR","qty":10}`
	order1  = `{"orderid":"o1","sku":"CHAIR","qty":4}`
	order2  = `{"orderid":"o2","sku":"CHAIR","qty":4}`
	order3  = `{"orderid":"o3","sku":"CHAIR","qty":4}`
	reduce1 = `{"batchref":"b1","qty":4}`
)

// TestCheck_passesEachFeature: right histories of everything that the recorded run has not.
func TestCheck_passesEachFeature(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(*world){
		"a product by several partitions and topics": func(w *world) {
			w.do(0, "CreateBatch", batch1)
			w.do(1, "Allocate", order1)
			w.do(2, "Allocate", order2)
			w.do(0, "", reduce1)
			w.do(1, "Allocate", order2)
			w.do(0, "Allocate", order3)
		},
		"partitions added while running": func(w *world) {
			w.do(0, "CreateBatch", batch1)
			w.do(0, "Allocate", order1)
			w.partitions[topicPartition{worldCommands, 3}] = nil
			w.do(3, "Allocate", order2)
			w.do(0, "Deallocate", `{"orderid":"o1","sku":"CHAIR"}`)
		},
		"an early command of another partition": func(w *world) {
			w.do(1, "", reduce1)
			w.do(0, "CreateBatch", batch1)
		},
		"a line that is dispatched": func(w *world) {
			w.do(0, "CreateBatch", batch1)
			w.do(0, "Allocate", order1)
			w.do(0, "Dispatch", `{"orderid":"o1","sku":"CHAIR"}`)
		},
		"a refused command that an operator sent again": func(w *world) {
			at := w.do(0, "Allocate", order1)
			w.do(0, "CreateBatch", batch1)
			w.retry(at)
			w.do(0, "Allocate", order2)
		},
		"a refused command that was sent again, and refused again": func(w *world) {
			at := w.do(0, "Allocate", order1)
			w.retry(at)
			w.do(0, "CreateBatch", batch1)
			w.retry(at)
		},
		"a refused command that was sent again, and had nothing to do": func(w *world) {
			at := w.do(0, "Deallocate", `{"orderid":"o1","sku":"CHAIR"}`)
			w.do(0, "CreateBatch", batch1)
			w.do(0, "Allocate", order1)
			w.do(0, "Deallocate", `{"orderid":"o1","sku":"CHAIR"}`)
			w.retry(at)
		},
		"a discarded refusal": func(w *world) { w.discard(w.do(0, "Allocate", order1)) },
		"a held product, retried": func(w *world) {
			hold(w)
			w.retry(place{worldCommands, 0, 1})
			w.do(0, "Allocate", order3)
		},
		"a held product, discarded": func(w *world) { hold(w); w.discard(place{worldCommands, 0, 1}) },
		"a held product, retried and refused": func(w *world) {
			w.do(0, "CreateBatch", batch1)
			at := w.do(0, "Deallocate", `{"orderid":"poison","sku":"CHAIR"}`)
			w.do(1, "Allocate", order2)
			w.retry(at)
		},
		"a held product, still waiting": hold,
		"a failover of a product of one partition": func(w *world) {
			w.do(0, "CreateBatch", batch1)
			w.do(0, "Allocate", order1)
			w.do(0, "Allocate", order2)
			w.failOver(2)
			w.apply(topicPartition{worldCommands, 0})
		},
		"a failover of a product of several partitions": func(w *world) {
			failOver(w)
			w.do(1, "Allocate", order3)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(3)
			play(w)
			requireNothing(t, w.end())
		})
	}
}

// hold leaves a product held, with commands of two partitions waiting, and another product that
// goes on.
func hold(w *world) {
	w.do(0, "CreateBatch", batch1)
	w.do(0, "Allocate", `{"orderid":"poison","sku":"CHAIR","qty":3}`)
	w.do(1, "Allocate", order1)
	w.do(0, "CreateBatch", `{"ref":"b2","sku":"LAMP","qty":10}`)
	w.do(0, "Allocate", order2)
	w.do(0, "Allocate", `{"orderid":"o9","sku":"LAMP","qty":3}`)
}

// failOver loses commands of two partitions, which are applied again in another order.
func failOver(w *world) {
	w.do(0, "CreateBatch", batch1)
	w.do(0, "Allocate", order1)
	w.do(1, "Allocate", order2)
	w.failOver(2)
	w.apply(topicPartition{worldCommands, 1})
	w.apply(topicPartition{worldCommands, 0})
}

func TestCheck_findsAnIllegalPlace(t *testing.T) {
	t.Parallel()
	t.Run("of a refusal before its partition's neighbour", func(t *testing.T) {
		t.Parallel()
		w := newWorld(3)
		w.do(0, "CreateBatch", batch1)
		w.refuse(0, order1, "unknown_sku")
		requireFound(t, w.end(), RuleEffect, "CHAIR", "commands.0.1")
	})
	t.Run("of a refusal between two partitions' neighbours", func(t *testing.T) {
		t.Parallel()
		w := newWorld(3)
		w.do(0, "CreateBatch", `{"ref":"l1","sku":"LAMP","qty":10}`)
		w.do(1, "ChangeBatchQuantity", `{"batchref":"l1","qty":7}`) // after the product LAMP began
		w.do(1, "Allocate", order1)
		w.do(0, "CreateBatch", batch1)
		requireNothing(t, w.end())
		// Now CHAIR begins before LAMP, by the same partition, and LAMP before the refusal.
		again := newWorld(3)
		again.do(0, "CreateBatch", batch1)
		again.do(0, "CreateBatch", `{"ref":"l1","sku":"LAMP","qty":10}`)
		again.do(1, "ChangeBatchQuantity", `{"batchref":"l1","qty":7}`)
		again.refuse(1, order1, "unknown_sku")
		requireFound(t, again.end(), RuleEffect, "CHAIR", "commands.1.1", "was refused as unknown_sku, but has no legal place", "after sequence 1", "an effect", "its partition:", "its product:")
	})
	t.Run("of a command that is legal only after its partition's next", func(t *testing.T) {
		t.Parallel()
		w := newWorld(3)
		w.passOver(1, "Allocate", order1)
		w.do(1, "CreateBatch", `{"ref":"l1","sku":"LAMP","qty":10}`)
		w.do(0, "ChangeBatchQuantity", `{"batchref":"l1","qty":7}`)
		w.do(0, "CreateBatch", batch1)
		w.do(0, "Allocate", order1)
		requireFound(t, w.end(), RuleEffect, "CHAIR", "the Allocate at commands.1.0 had no effect, but has no legal place", "and not after 0", "refused as unknown_sku")
	})
	t.Run("of two commands that are legal only in the other order", func(t *testing.T) {
		t.Parallel()
		w := newWorld(3)
		w.do(0, "CreateBatch", batch1)
		w.do(0, "Allocate", order1)
		w.do(1, "Allocate", order1) // legal late
		w.refuse(1, order1, "unknown_sku")
		requireFound(t, w.end(), RuleEffect, "CHAIR", "the Allocate at commands.1.1 was refused as unknown_sku, but has no legal place")
	})
	t.Run("of two commands of different products, each legal alone", func(t *testing.T) {
		t.Parallel()
		w := newWorld(3)
		w.do(0, "CreateBatch", `{"ref":"l1","sku":"LAMP","qty":10}`)
		w.do(0, "CreateBatch", batch1)
		w.do(0, "Allocate", order1)
		w.do(1, "Allocate", order1)                                         // after CHAIR began
		w.refuse(1, `{"orderid":"x1","sku":"LAMP","qty":1}`, "unknown_sku") // before LAMP began
		violations := Check(w.end())
		require.Len(t, violations, 1, Report(violations))
		require.Equal(t, RuleCycle, violations[0].Rule)
		require.Contains(t, violations[0].Text, "the commands are in no order")
	})
	t.Run("of a command without effect", func(t *testing.T) {
		t.Parallel()
		w := newWorld(3)
		w.do(0, "CreateBatch", batch1)
		w.do(0, "Allocate", order1)
		w.passOver(1, "Deallocate", `{"orderid":"o1","sku":"CHAIR"}`)
		requireFound(t, w.end(), RuleEffect, "CHAIR", "the Deallocate at commands.1.0 had no effect, but has no legal place", "an effect", "refused as unknown_line")
	})
	t.Run("of two products that each partition has in another order", func(t *testing.T) {
		t.Parallel()
		w := newWorld(3)
		w.do(0, "CreateBatch", batch1)
		w.do(0, "CreateBatch", `{"ref":"l1","sku":"LAMP","qty":10}`)
		late := w.passOver(0, "Allocate", `{"orderid":"x2","sku":"LAMP","qty":1}`)
		w.do(0, "Allocate", order1)
		w.do(1, "Allocate", order2)
		w.do(1, "Allocate", `{"orderid":"x1","sku":"LAMP","qty":1}`)
		w.decideNow(late, 0)
		requireFound(t, w.end(), RuleCycle, "LAMP", "go round in a circle", "before: commands.")
	})
	t.Run("in the order of its partition", func(t *testing.T) {
		t.Parallel()
		w := newWorld(3)
		w.do(0, "CreateBatch", batch1)
		late := w.passOver(0, "Allocate", order1)
		w.do(0, "Allocate", order2)
		w.decideNow(late, 0)
		requireFound(t, w.end(), RuleEffect, "CHAIR", "took effect (sequence 3) after that at commands.0.2 (sequence 2)")
	})
}
