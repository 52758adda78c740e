package order

import (
	"encoding/json"
	"errors"
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

// ErrNoSequence is that of a fact whose sequence is 0, but for AllocationRejected, which has none.
var ErrNoSequence = errors.New("ce_sequence is missing, or no integer from 1 on")

// ReadFact reads an event of stock. The commands that stock is asked by have the order as their
// correlation, and so have the events that they lead to. It gives nil for one that is not about
// orders of customers, or of a type that is not known, and an error for one that cannot be read.
func ReadFact(kind string, sequence int64, correlation string, data []byte) (Fact, error) {
	var d factData
	if !slices.Contains(FactNames(), kind) {
		return nil, nil
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("the data of %s is no JSON object with texts: %w", kind, err)
	}
	if sequence == 0 && FactKind(kind) != AllocationRejected {
		return nil, fmt.Errorf("%s: %w", kind, ErrNoSequence)
	}
	if err := d.check(FactKind(kind)); err != nil {
		return nil, err
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
	return LineFact{FactKind(kind), sequence, d.OrderID, d.SKU, d.LineID, d.BatchRef, d.Reason, correlation == d.OrderID}, nil
}

// check refuses names that stock does not give: they could not be kept.
func (d *factData) check(kind FactKind) error {
	for _, field := range []struct {
		name, value string
		needed      bool
	}{
		{"sku", d.SKU, true},
		{"ref", d.Ref, kind == BatchCreated},
		{"batchref", d.BatchRef, kind == BatchEtaChanged || kind == Allocated || kind == LineDispatched},
		{"orderid", d.OrderID, false},
		{"lineid", d.LineID, false},
	} {
		if (field.needed || field.value != "") && !strictjson.IsIdentifier(field.value) {
			return fmt.Errorf("%s: the field %q is %q; it must be a text of 1 to 255 bytes without control characters", kind, field.name, strictjson.Shorten(field.value))
		}
	}
	return nil
}

// Keys are the order, its customer, and its batch.
func (f LineFact) Keys() Keys { return Keys{CustomerOf(f.OrderID), f.OrderID, f.BatchRef} }

// Keys are the batch.
func (f BatchFact) Keys() Keys { return Keys{Batch: f.Ref} }
