package order

import (
	"encoding/json"
	"fmt"
	"slices"

	"allocation/domain/strictjson"
)

// Fact is an event of stock.
type Fact interface {
	Message
	// Keys are what it is about.
	Keys() Keys
}

// factData has the fields of the data of all facts. Others are ignored.
type factData struct {
	OrderID  string `json:"orderid"`
	SKU      string `json:"sku"`
	LineID   string `json:"lineid"`
	BatchRef string `json:"batchref"`
	Ref      string `json:"ref"`
	ETA      string `json:"eta"`
	Reason   string `json:"reason"`
}

// ReadFact reads an event of stock. It gives nil for one that is not about orders of customers, or
// of a type that is not known, and an error for one that cannot be read.
func ReadFact(kind string, sequence int64, data []byte) (Fact, error) {
	var d factData
	if !slices.Contains(FactNames(), kind) {
		return nil, nil
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("the data of %s is no JSON object with texts: %w", kind, err)
	}
	if d.SKU == "" || sequence == 0 && FactKind(kind) != AllocationRejected {
		return nil, fmt.Errorf("%s has no sku or no sequence", strictjson.Shorten(kind))
	}
	if kind := FactKind(kind); (kind == Allocated || kind == LineDispatched) && d.BatchRef == "" {
		return nil, fmt.Errorf("%s has no batchref", kind)
	}
	switch FactKind(kind) {
	case BatchCreated:
		return BatchFact{BatchCreated, sequence, d.Ref, d.SKU, d.ETA == ""}, nil
	case BatchEtaChanged:
		return BatchFact{BatchEtaChanged, sequence, d.BatchRef, d.SKU, d.ETA == ""}, nil
	}
	if CustomerOf(d.OrderID) == "" {
		return nil, nil
	}
	return LineFact{FactKind(kind), sequence, d.OrderID, d.SKU, d.LineID, d.BatchRef, d.Reason}, nil
}

// Keys are the order, its customer, and its batch.
func (f LineFact) Keys() Keys { return Keys{CustomerOf(f.OrderID), f.OrderID, f.BatchRef} }

// Keys are the batch.
func (f BatchFact) Keys() Keys { return Keys{Batch: f.Ref} }
