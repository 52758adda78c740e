package schemas

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/product"
)

// examples are events with every field, and with none that may be left out.
func examples() []product.Event {
	line := product.LineID{SKU: "CHAIR", OrderID: "o2", LineID: "l1"}
	plain := product.LineID{SKU: "CHAIR", OrderID: "o2"}
	const none = product.NoRevision
	return []product.Event{
		{Type: product.BatchCreated, SKU: "CHAIR", BatchRef: "b1", Qty: 50, ETA: "2030-01-01"},
		{Type: product.BatchCreated, SKU: "CHAIR", BatchRef: "b1", Qty: 0},
		{Type: product.BatchQuantityChanged, SKU: "CHAIR", BatchRef: "b1", Qty: product.MaxQuantity, Revision: 0},
		{Type: product.BatchQuantityChanged, SKU: "CHAIR", BatchRef: "b1", Qty: 0, Revision: none},
		{Type: product.BatchEtaChanged, SKU: "CHAIR", BatchRef: "b1", ETA: "2030-01-01"},
		{Type: product.BatchEtaChanged, SKU: "CHAIR", BatchRef: "b1"},
		{Type: product.LineAllocated, SKU: "CHAIR", BatchRef: "b2", Line: line, Qty: 20},
		{Type: product.LineAllocated, SKU: "CHAIR", BatchRef: "b2", Line: plain, Qty: 1},
		{Type: product.LineDeallocated, SKU: "CHAIR", BatchRef: "b2", Line: line, Qty: 20, Reason: product.DeallocatedBatchReduced},
		{Type: product.LineDeallocated, SKU: "CHAIR", Line: plain, Qty: 20, Reason: product.DeallocatedCancelled},
		{Type: product.LineOutOfStock, SKU: "CHAIR", Line: line, Qty: 20},
		{Type: product.LineOutOfStock, SKU: "CHAIR", Line: plain, Qty: 20},
		{Type: product.LineDispatched, SKU: "CHAIR", BatchRef: "b2", Line: line, Qty: 20},
		{Type: product.LineDispatched, SKU: "CHAIR", BatchRef: "b2", Line: plain, Qty: 20},
		{Type: product.AllocationRejected, SKU: "CHAIR", Line: line, Qty: 20, Reason: string(product.ReasonUnknownSKU)},
		{Type: product.AllocationRejected, SKU: "CHAIR", Line: plain, Qty: 20, Reason: string(product.ReasonLineConflict)},
	}
}

func TestEvents_haveExactlyTheirFields(t *testing.T) {
	seen := map[product.EventType][]string{}
	for _, event := range examples() {
		data := string(event.AppendData(nil))
		schema := load(t, events, string(event.Type))
		require.True(t, accepts(schema, data), "%s %s", event.Type, data)
		for _, field := range fieldsOf(t, data) {
			require.Contains(t, schema.Properties, field, data)
			seen[event.Type] = append(seen[event.Type], field)
		}
	}
	for _, name := range eventNames {
		for field := range load(t, events, name).Properties {
			require.Contains(t, seen[product.EventType(name)], field, name)
		}
	}
}

func TestEvents_requireWhatIsAlwaysThere(t *testing.T) {
	for _, event := range examples() {
		data := string(event.AppendData(nil))
		schema := load(t, events, string(event.Type))
		for _, field := range fieldsOf(t, data) {
			var members map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(data), &members))
			members[field] = json.RawMessage(`null`)
			require.False(t, accepts(schema, marshal(t, members)), "%s of %s is never null", field, event.Type)
			delete(members, field)
			require.Equal(t, !slices.Contains(schema.Required, field), accepts(schema, marshal(t, members)), "%s of %s", field, event.Type)
			members["added_later"] = json.RawMessage(`[]`)
			require.Equal(t, !slices.Contains(schema.Required, field), accepts(schema, marshal(t, members)), "%s of %s", field, event.Type)
		}
	}
}

func fieldsOf(t *testing.T, data string) []string {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(data), &members))
	var names []string
	for name := range members {
		names = append(names, name)
	}
	return names
}

func marshal(t *testing.T, members map[string]json.RawMessage) string {
	t.Helper()
	data, err := json.Marshal(members)
	require.NoError(t, err)
	return string(data)
}
