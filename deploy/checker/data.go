package checker

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// data is the data of a command or an event. Texts that it has not are empty, numbers -1.
type data struct {
	ref, batchRef, sku, orderID, lineID, eta, reason string
	qty, revision                                    int64
}

// readData reads the data of an event. An unknown field is an error.
func readData(value []byte) (data, bool) {
	d := data{qty: -1, revision: -1}
	members, ok := object(value)
	for _, m := range members {
		ok = ok && d.field(m.name, m.value)
	}
	return d, ok
}

// field takes one field; false where its value is not allowed.
func (d *data) field(name string, value json.RawMessage) bool {
	switch name {
	case "ref":
		return identifier(value, &d.ref)
	case "batchref":
		return identifier(value, &d.batchRef)
	case "sku":
		return identifier(value, &d.sku)
	case "orderid":
		return identifier(value, &d.orderID)
	case "lineid":
		return identifier(value, &d.lineID)
	case "reason":
		return identifier(value, &d.reason)
	case "eta":
		return date(value, &d.eta)
	case "qty":
		return integer(value, 1_000_000_000, &d.qty)
	case "revision":
		return integer(value, math.MaxInt64, &d.revision)
	}
	return false
}

func identifier(value json.RawMessage, into *string) (ok bool) {
	*into, ok = unquote(value)
	return ok && len(*into) >= 1 && len(*into) <= 255 && !strings.ContainsFunc(*into, unicode.IsControl)
}

// integer reads an integer from 0 on: no fraction, no exponent.
func integer(value json.RawMessage, most int64, into *int64) bool {
	n, err := strconv.ParseInt(string(value), 10, 64)
	*into = n
	return err == nil && n >= 0 && n <= most
}

func date(value json.RawMessage, into *string) (ok bool) {
	*into, ok = unquote(value)
	_, err := time.Parse(time.DateOnly, *into)
	return ok && err == nil
}

// json is the data of an event as the service writes it.
func (d data) json() string {
	text, ofBatch, ofLine := "", d.batchRef, ""
	if d.orderID != "" {
		ofBatch, ofLine = "", d.batchRef
	}
	write := func(name, format string, value any) {
		if value != "" && value != int64(-1) {
			text += fmt.Sprintf(`,%q:`+format, name, value)
		}
	}
	write("ref", "%q", d.ref)
	write("batchref", "%q", ofBatch)
	write("orderid", "%q", d.orderID)
	write("sku", "%q", d.sku)
	write("qty", "%d", d.qty)
	write("revision", "%d", d.revision)
	write("eta", "%q", d.eta)
	write("batchref", "%q", ofLine)
	write("reason", "%q", d.reason)
	write("lineid", "%q", d.lineID)
	return "{" + text[1:] + "}"
}
