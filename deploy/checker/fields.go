package checker

import "strings"

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
	if !ok || c.kind == "Allocate" && c.qty < 1 {
		c.refusal = "malformed"
	}
	c.ref += c.batchRef // it has one of them
}
