package orders

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/order"
	"allocation/outbox"
	"allocation/worker"
)

// A fact without a sequence is refused by what it has in place of it.
func TestRead_namesTheSequence(t *testing.T) {
	t.Parallel()
	for text, is := range map[string]string{"": "missing, or no text of at most 255 bytes", "abc": `"abc"`, "-1": `"-1"`, "1.5": `"1.5"`, "0": `"0"`} {
		var m message
		m.read(&worker.Command{Cause: &outbox.Cause{}, Taken: true, Type: "Allocated", SequenceText: text, Data: []byte(`{"orderid":"alice.1","sku":"CHAIR","batchref":"b1"}`)})
		require.Equal(t, &order.Refusal{Reason: order.ReasonMalformed, Message: "Allocated: ce_sequence is " + is + "; it must be an integer from 1 to 9223372036854775807"}, m.decision.Refusal)
	}
}
