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

// readData reads the data of an event. An unknown field, or an empty one, is an error: what has no value is left out.
func readData(value []byte) (data, bool) {
	d := data{qty: -1, revision: -1}
	members, ok := object(value)
	for name, raw := range members {
		ok = ok && d.field(name, raw)
	}
	return d, ok
}

func (d *data) field(name string, raw json.RawMessage) bool {
	texts := map[string]*string{"ref": &d.ref, "batchref": &d.batchRef, "sku": &d.sku, "orderid": &d.orderID, "lineid": &d.lineID, "eta": &d.eta, "reason": &d.reason}
	switch name {
	case "qty":
		return integer(raw, 0, math.MaxInt64, &d.qty)
	case "revision":
		return integer(raw, 0, math.MaxInt64, &d.revision)
	}
	into, known := texts[name]
	return known && len(raw) > 2 && raw[0] == '"' && json.Unmarshal(raw, into) == nil
}
