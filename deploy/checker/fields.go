package checker

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// fieldsOf are the fields of each command. Required ones must be there; optional ones may be
// missing or null.
var fieldsOf = map[string]struct{ required, optional string }{
	"CreateBatch":         {"ref sku qty", "eta"},
	"ChangeBatchQuantity": {"batchref qty", "sku revision"},
	"ChangeBatchEta":      {"batchref", "eta sku"},
	"Allocate":            {"orderid sku qty", "lineid"},
	"Deallocate":          {"orderid sku", "lineid"},
	"Dispatch":            {"orderid sku", "lineid"},
}

// read reads the data of a command.
func (c *command) read(data []byte) {
	fields, known := fieldsOf[c.kind]
	if !known {
		c.refusal = "unknown_type"
		return
	}
	members, ok := object(data)
	for _, name := range strings.Fields(fields.required) {
		ok = ok && c.field(name, members.of(name))
	}
	for _, name := range strings.Fields(fields.optional) {
		if value := members.of(name); value != nil && string(value) != "null" {
			ok = ok && c.field(name, value)
		}
	}
	if !ok {
		c.refusal = "malformed"
	}
}

// field takes one field; false where its value is not allowed.
func (c *command) field(name string, value json.RawMessage) bool {
	switch name {
	case "ref", "batchref":
		return identifier(value, &c.ref)
	case "sku":
		return identifier(value, &c.sku)
	case "orderid":
		return identifier(value, &c.orderid)
	case "lineid":
		return identifier(value, &c.lineid)
	case "eta":
		return date(value, &c.eta)
	case "revision":
		return integer(value, 0, math.MaxInt64, &c.revision)
	}
	least := int64(0)
	if c.kind == "Allocate" {
		least = 1
	}
	return integer(value, least, 1_000_000_000, &c.qty)
}

func identifier(value json.RawMessage, into *string) (ok bool) {
	*into, ok = unquote(value)
	return ok && len(*into) >= 1 && len(*into) <= 255 && !strings.ContainsFunc(*into, unicode.IsControl)
}

// integer reads an integer: no fraction, no exponent.
func integer(value json.RawMessage, least, most int64, into *int64) bool {
	n, err := strconv.ParseInt(string(value), 10, 64)
	*into = n
	return err == nil && n >= least && n <= most
}

func date(value json.RawMessage, into *string) (ok bool) {
	*into, ok = unquote(value)
	_, err := time.Parse(time.DateOnly, *into)
	return ok && err == nil
}
