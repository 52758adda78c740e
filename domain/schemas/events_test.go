package schemas

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain"
)

// examples are events with every field, and with none that may be left out.
func examples() []domain.Event {
	line := domain.LineID{SKU: "CHAIR", OrderID: "o2", LineID: "l1"}
	plain := domain.LineID{SKU: "CHAIR", OrderID: "o2"}
	const none = domain.NoRevision
	return []domain.Event{
		{Type: domain.BatchCreated, SKU: "CHAIR", BatchRef: "b1", Qty: 50, ETA: "2030-01-01"},
		{Type: domain.BatchCreated, SKU: "CHAIR", BatchRef: "b1", Qty: 0},
		{Type: domain.BatchQuantityChanged, SKU: "CHAIR", BatchRef: "b1", Qty: domain.MaxQuantity, Revision: 0},
		{Type: domain.BatchQuantityChanged, SKU: "CHAIR", BatchRef: "b1", Qty: 0, Revision: none},
		{Type: domain.BatchEtaChanged, SKU: "CHAIR", BatchRef: "b1", ETA: "2030-01-01"},
		{Type: domain.BatchEtaChanged, SKU: "CHAIR", BatchRef: "b1"},
		{Type: domain.LineAllocated, SKU: "CHAIR", BatchRef: "b2", Line: line, Qty: 20},
		{Type: domain.LineAllocated, SKU: "CHAIR", BatchRef: "b2", Line: plain, Qty: 1},
		{Type: domain.LineDeallocated, SKU: "CHAIR", BatchRef: "b2", Line: line, Qty: 20, Reason: domain.DeallocatedBatchReduced},
		{Type: domain.LineDeallocated, SKU: "CHAIR", Line: plain, Qty: 20, Reason: domain.DeallocatedCancelled},
		{Type: domain.LineOutOfStock, SKU: "CHAIR", Line: line, Qty: 20},
		{Type: domain.LineOutOfStock, SKU: "CHAIR", Line: plain, Qty: 20},
		{Type: domain.LineDispatched, SKU: "CHAIR", BatchRef: "b2", Line: line, Qty: 20},
		{Type: domain.LineDispatched, SKU: "CHAIR", BatchRef: "b2", Line: plain, Qty: 20},
		{Type: domain.AllocationRejected, SKU: "CHAIR", Line: line, Qty: 20, Reason: string(domain.ReasonUnknownSKU)},
		{Type: domain.AllocationRejected, SKU: "CHAIR", Line: plain, Qty: 20, Reason: string(domain.ReasonLineConflict)},
	}
}

func TestEvents_haveExactlyTheirFields(t *testing.T) {
	seen := map[domain.EventType][]string{}
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
			require.Contains(t, seen[domain.EventType(name)], field, name)
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
