package schemas

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/order"
)

// Where the schemas of orders are.
const (
	orderCommands = "orders/commands"
	orderEvents   = "orders/events"
)

// legalOrder has a value that each field of a command may have.
var legalOrder = map[string]string{
	"customerid": `"alice"`, "cartid": `"alice.1"`, "orderid": `"alice.1"`, "sku": `"CHAIR"`, "qty": `5`, "lineid": `"1"`, "batchref": `"b1"`, "after": `"alice.1"`,
}

func TestOrderCommands_agreeWithTheDecoder(t *testing.T) {
	for _, command := range order.Commands {
		t.Run(command.Name, func(t *testing.T) {
			schema := load(t, orderCommands, command.Name)
			fields := map[string]string{}
			for _, field := range command.Fields {
				fields[field] = legalOrder[field]
			}
			require.Len(t, schema.Properties, len(fields))
			accepted := 0
			for _, data := range variants(fields) {
				_, refusal := order.DecodeCommand(command.Name, []byte(data))
				if refusal != nil && strings.Contains(refusal.Message, "an id that begins with the customer") && accepts(schema, data) {
					continue // a schema cannot compare two fields
				}
				require.Equal(t, refusal == nil, accepts(schema, data), "%s %s\ndecoder: %v", command.Name, data, refusal)
				if refusal == nil {
					accepted++
				}
			}
			require.Positive(t, accepted)
		})
	}
}

// orderExamples are events with every field.
func orderExamples() []order.Event {
	of := func(e order.Event) order.Event {
		e.CustomerID, e.OrderID = "alice", "alice.1"
		return e
	}
	line := func(kind order.EventType, reason string) order.Event {
		return of(order.Event{Type: kind, LineID: "1", SKU: "CHAIR", Qty: order.MaxQuantity, Reason: reason})
	}
	return []order.Event{
		line(order.CartLineAdded, ""), line(order.CartLineRemoved, order.ReasonCustomer), line(order.CartLineRemoved, order.ReasonExpired),
		line(order.CartLineRejected, "unknown_sku"), of(order.Event{Type: order.CartExpired}), of(order.Event{Type: order.OrderPlaced}),
		of(order.Event{Type: order.OrderReady, Lines: []order.PickLine{{SKU: "CHAIR", LineID: "1", Qty: 1, BatchRef: "b1", Fact: 1}}}),
		of(order.Event{Type: order.OrderDispatched}), of(order.Event{Type: order.OrderCancelled, Reason: order.ReasonCustomer}),
		of(order.Event{Type: order.OrderCancelled, Reason: order.ReasonEmpty}), of(order.Event{Type: order.CustomerBecameVIP}),
	}
}

// Each event has all fields of its schema, and none of them may be missing or null.
func TestOrderEvents_haveExactlyTheirFields(t *testing.T) {
	var seen []string
	for _, event := range orderExamples() {
		data := string(event.AppendData(nil))
		schema := load(t, orderEvents, string(event.Type))
		require.True(t, accepts(schema, data), "%s %s", event.Type, data)
		require.Len(t, schema.Properties, len(fieldsOf(t, data)))
		for _, field := range fieldsOf(t, data) {
			require.Contains(t, schema.Properties, field, data)
			var members map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(data), &members))
			members[field] = json.RawMessage(`null`)
			require.False(t, accepts(schema, marshal(t, members)), "%s of %s is never null", field, event.Type)
			delete(members, field)
			require.False(t, accepts(schema, marshal(t, members)), "%s of %s is always there", field, event.Type)
		}
		seen = append(seen, string(event.Type))
	}
	slices.Sort(seen)
	require.ElementsMatch(t, order.EventNames(), slices.Compact(seen))
}

// What is sent to stock is what stock takes, and what the service sends itself is what it takes.
func TestOrderCommands_areWhatTheirServiceTakes(t *testing.T) {
	line := order.StockCommand{Name: order.Allocate, OrderID: "alice.1", SKU: "CHAIR", LineID: "1", Qty: 5}
	require.True(t, accepts(load(t, commands, order.Allocate), string(line.AppendData(nil))))
	line.Qty = 0
	require.True(t, accepts(load(t, commands, order.Deallocate), string(line.AppendData(nil))))
	require.True(t, accepts(load(t, orderCommands, "ReviewOrder"), string(order.Of{CustomerID: "alice", OrderID: "alice.1"}.AppendData(nil))))
	for _, c := range []order.ReviewBatch{{BatchRef: "b1"}, {BatchRef: "b1", After: "alice.1"}} {
		require.True(t, accepts(load(t, orderCommands, "ReviewBatch"), string(c.AppendData(nil))))
	}
}

func TestOrderDocuments_examplesKeepToTheSchemas(t *testing.T) {
	keepToSchemas(t, "orders.md", orderCommands, orderEvents, order.CommandNames(), order.EventNames(), func(name string, data []byte) bool {
		_, refusal := order.DecodeCommand(name, data)
		return refusal == nil
	})
}
