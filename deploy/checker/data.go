package checker

import (
	"encoding/json"
	"math"
)

// data is the data of an event. Texts that it has not are empty, numbers -1.
type data struct {
	ref, batchRef, sku, orderID, lineID, eta, reason string
	qty, revision                                    int64
}

// readData reads the data of an event. An unknown field, or an empty one, is an error: what has no
// value is left out.
func readData(value []byte) (data, bool) {
	d := data{qty: -1, revision: -1}
	members, ok := object(value)
	for _, m := range members {
		ok = ok && d.field(m.name, m.value)
	}
	return d, ok
}

func (d *data) field(name string, value json.RawMessage) bool {
	var into *string
	switch name {
	case "ref":
		into = &d.ref
	case "batchref":
		into = &d.batchRef
	case "sku":
		into = &d.sku
	case "orderid":
		into = &d.orderID
	case "lineid":
		into = &d.lineID
	case "eta":
		into = &d.eta
	case "reason":
		into = &d.reason
	case "qty":
		return integer(value, 0, math.MaxInt64, &d.qty)
	case "revision":
		return integer(value, 0, math.MaxInt64, &d.revision)
	default:
		return false
	}
	text, ok := unquote(value)
	*into = text
	return ok && text != ""
}
