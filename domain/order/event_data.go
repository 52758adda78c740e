package order

import (
	"encoding/json"
	"fmt"
)

// EventNames are the names of all events.
func EventNames() []string {
	return []string{
		string(CartLineAdded), string(CartLineRemoved), string(CartLineRejected), string(CartExpired),
		string(OrderPlaced), string(OrderReady), string(OrderDispatched), string(OrderCancelled), string(CustomerBecameVIP),
	}
}

// Data has the fields that the data of an event, or of a command that is sent, may have.
type Data struct {
	CustomerID string     `json:"customerid,omitempty"`
	OrderID    string     `json:"orderid,omitempty"`
	LineID     string     `json:"lineid,omitempty"`
	SKU        string     `json:"sku,omitempty"`
	Qty        int64      `json:"qty,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	Lines      []PickLine `json:"lines,omitempty"`
	BatchRef   string     `json:"batchref,omitempty"`
	After      string     `json:"after,omitempty"`
}

// AppendData appends the event's data as JSON.
func (e *Event) AppendData(to []byte) []byte {
	return Data{CustomerID: e.CustomerID, OrderID: e.OrderID, LineID: e.LineID, SKU: e.SKU, Qty: e.Qty, Reason: e.Reason, Lines: e.Lines}.append(to)
}

// AppendData appends the command's data as JSON.
func (c *StockCommand) AppendData(to []byte) []byte {
	return Data{OrderID: c.OrderID, SKU: c.SKU, LineID: c.LineID, Qty: c.Qty}.append(to)
}

// AppendData appends the command's data as JSON.
func (o Of) AppendData(to []byte) []byte {
	return Data{CustomerID: o.CustomerID, OrderID: o.OrderID}.append(to)
}

// AppendData appends the command's data as JSON.
func (c ReviewBatch) AppendData(to []byte) []byte {
	return Data{BatchRef: c.BatchRef, After: c.After}.append(to)
}

// ReadData reads what was published.
func ReadData(data []byte) (d Data, err error) {
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("the data is no JSON object as orders publishes it: %w", err)
	}
	return d, nil
}

func (d Data) append(to []byte) []byte {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // they are texts and numbers
	}
	return append(to, text...)
}
