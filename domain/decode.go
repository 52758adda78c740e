package domain

import (
	"allocation/domain/strictjson"
)

// DecodeCommand reads the JSON data of the command called name. It refuses with unknown_type, or with malformed: not
// one JSON object in valid UTF-8, a name twice, a field that is missing, of a wrong type or out of range. Unknown
// fields are ignored, and null is the absence of an optional field.
func DecodeCommand(name string, data []byte) (Command, *Refusal) {
	return NewDecoder().Decode(name, data)
}

// Decoder reads commands one after the other, in the same memory.
type Decoder struct {
	fields fields
	keep   func(name []byte, value strictjson.Value) error // fields.keep
}

// NewDecoder makes a decoder.
func NewDecoder() *Decoder {
	d := &Decoder{}
	d.keep = d.fields.keep
	return d
}

// Decode is DecodeCommand.
func (d *Decoder) Decode(name string, data []byte) (Command, *Refusal) {
	decode := decoder(name)
	if decode == nil {
		return nil, refuse(ReasonUnknownType, "there is no command called %q", shorten(name))
	}
	d.fields = fields{}
	if err := strictjson.Parse(data, d.keep); err != nil {
		return nil, refuse(ReasonMalformed, "the data of %s is not one plain JSON object: %v", name, err)
	}
	cmd := decode(&d.fields)
	if d.fields.problem != "" {
		return nil, refuse(ReasonMalformed, "%s: %s", name, d.fields.problem)
	}
	return cmd, nil
}

func decoder(name string) func(f *fields) Command {
	switch name {
	case nameCreateBatch:
		return decodeCreateBatch
	case nameChangeBatchQuantity:
		return decodeChangeBatchQuantity
	case nameChangeBatchEta:
		return decodeChangeBatchEta
	case nameAllocate:
		return decodeAllocate
	case nameDeallocate:
		return func(f *fields) Command { return Deallocate{Line: decodeLineID(f)} }
	case nameDispatch:
		return func(f *fields) Command { return Dispatch{Line: decodeLineID(f)} }
	}
	return nil
}

func decodeCreateBatch(f *fields) Command {
	return CreateBatch{
		Ref: f.identifier("ref", f.ref),
		SKU: f.identifier("sku", f.sku),
		Qty: f.integer("qty", f.qty, 0, MaxQuantity),
		ETA: f.optionalDate("eta", f.eta),
	}
}

func decodeChangeBatchQuantity(f *fields) Command {
	return ChangeBatchQuantity{
		BatchRef: f.identifier("batchref", f.batchref),
		Qty:      f.integer("qty", f.qty, 0, MaxQuantity),
		SKU:      f.optionalIdentifier("sku", f.sku),
		Revision: f.optionalRevision("revision", f.revision),
	}
}

func decodeChangeBatchEta(f *fields) Command {
	return ChangeBatchEta{
		BatchRef: f.identifier("batchref", f.batchref),
		ETA:      f.optionalDate("eta", f.eta),
		SKU:      f.optionalIdentifier("sku", f.sku),
	}
}

func decodeAllocate(f *fields) Command {
	return Allocate{
		Line: decodeLineID(f),
		Qty:  f.integer("qty", f.qty, 1, MaxQuantity),
	}
}

func decodeLineID(f *fields) LineID {
	return LineID{
		OrderID: f.identifier("orderid", f.orderid),
		SKU:     f.identifier("sku", f.sku),
		LineID:  f.optionalIdentifier("lineid", f.lineid),
	}
}
