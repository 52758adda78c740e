package product

import (
	"math"

	"allocation/domain/strictjson"
)

// Field is a member of a command's data.
type Field struct {
	Name   string
	Number bool // else it is text
}

// The fields that commands have.
var (
	fieldRef      = Field{Name: "ref"}
	fieldBatchRef = Field{Name: "batchref"}
	fieldSKU      = Field{Name: "sku"}
	fieldOrderID  = Field{Name: "orderid"}
	fieldLineID   = Field{Name: "lineid"}
	fieldETA      = Field{Name: "eta"}
	fieldQty      = Field{Name: "qty", Number: true}
	fieldRevision = Field{Name: "revision", Number: true}
)

// fields are the members of a command's data that any command has, and the first problem found in
// reading them.
type fields struct {
	strictjson.Reader
	ref, batchref, sku, orderid, lineid strictjson.Value
	qty, revision, eta                  strictjson.Value
}

// keep remembers a member, for strictjson.Parse.
func (f *fields) keep(name []byte, value strictjson.Value) error {
	switch string(name) {
	case "ref":
		f.ref = value
	case "batchref":
		f.batchref = value
	case "sku":
		f.sku = value
	case "orderid":
		f.orderid = value
	case "lineid":
		f.lineid = value
	case "qty":
		f.qty = value
	case "revision":
		f.revision = value
	case "eta":
		f.eta = value
	}
	return nil
}

func (f *fields) optionalRevision(name string, value strictjson.Value) int64 {
	if value.Missing() {
		return NoRevision
	}
	return f.Integer(name, value, 0, math.MaxInt64)
}

func (f *fields) optionalDate(name string, value strictjson.Value) Date {
	if value.Missing() {
		return ""
	}
	date, ok := ParseDate(value.Text())
	if !ok {
		f.Wrong(name, value, "a real date as YYYY-MM-DD")
	}
	return date
}

// line reads the identity of an order line.
func (f *fields) line() LineID {
	return LineID{
		OrderID: f.Identifier("orderid", f.orderid),
		SKU:     f.Identifier("sku", f.sku),
		LineID:  f.OptionalIdentifier("lineid", f.lineid),
	}
}
