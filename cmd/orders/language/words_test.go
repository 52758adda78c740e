package language_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/orders/language"
	"allocation/domain/order"
	"allocation/store"
)

// Who discards an event of stock is told what it leaves.
func TestDiscarded_saysWhatStaysOpen(t *testing.T) {
	t.Parallel()
	for _, fact := range order.FactNames() {
		says := "the order stays as it is, perhaps open for ever"
		if fact == string(order.BatchCreated) || fact == string(order.BatchEtaChanged) {
			says = "they may wait for it for ever"
		}
		require.Contains(t, language.Discarded(&store.Letter{Type: fact, Reason: "internal"}), says)
		require.Empty(t, language.Discarded(&store.Letter{Type: fact, Reason: "unknown_type"}), "it came as a command")
	}
	require.Empty(t, language.Discarded(&store.Letter{Type: "PlaceOrder", Reason: "internal"}))
	for _, review := range []string{"ReviewBatch", "ReviewOrder"} {
		require.Contains(t, language.Discarded(&store.Letter{Type: review, Reason: "internal"}), "orders send "+review)
	}
}

// An event's data do not say what happened: its type has to be printed.
func TestWords_havePrintedTypes(t *testing.T) {
	t.Parallel()
	require.True(t, language.Words.Types)
	require.Equal(t, "order carol.1: because of: customer", language.Words.What(&store.EventView{Type: "OrderCancelled", Data: []byte(`{"orderid":"carol.1","reason":"customer"}`)}))
}
