package product

import (
	"allocation/domain/strictjson"
)

// DecodeCommand reads the JSON data of the command called name. It refuses with unknown_type, or
// with malformed: not one JSON object in valid UTF-8, a name twice, a field that is missing, of a
// wrong type or out of range. Unknown fields are ignored, and null is the absence of an optional
// field.
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
	command := FindCommand(name)
	if command == nil {
		return nil, refuse(ReasonUnknownType, "there is no command called %q", strictjson.Shorten(name))
	}
	d.fields = fields{}
	if err := strictjson.Parse(data, d.keep); err != nil {
		return nil, refuse(ReasonMalformed, "the data of %s is not one plain JSON object: %v", name, err)
	}
	cmd := command.decode(&d.fields)
	if d.fields.Problem != "" {
		return nil, refuse(ReasonMalformed, "%s: %s", name, d.fields.Problem)
	}
	return cmd, nil
}
