package product

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

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
	ref, batchref, sku, orderid, lineid strictjson.Value
	qty, revision, eta                  strictjson.Value
	problem                             string
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

// identifier reads 1 to 255 bytes without control characters.
func (f *fields) identifier(name string, value strictjson.Value) string {
	text := value.Text()
	if !isIdentifier(text) {
		f.wrong(name, value, "a string of 1 to 255 bytes without control characters")
	}
	return text
}

func (f *fields) optionalIdentifier(name string, value strictjson.Value) string {
	if missing(value) {
		return ""
	}
	return f.identifier(name, value)
}

// integer reads an integer from least to most.
func (f *fields) integer(name string, value strictjson.Value, least, most int64) int64 {
	number, err := value.Int64()
	if err != nil || number < least || number > most {
		f.wrong(name, value, fmt.Sprintf("an integer from %d to %d", least, most))
	}
	return number
}

func (f *fields) optionalRevision(name string, value strictjson.Value) int64 {
	if missing(value) {
		return NoRevision
	}
	return f.integer(name, value, 0, math.MaxInt64)
}

func (f *fields) optionalDate(name string, value strictjson.Value) Date {
	if missing(value) {
		return ""
	}
	date, ok := ParseDate(value.Text())
	if !ok {
		f.wrong(name, value, "a real date as YYYY-MM-DD")
	}
	return date
}

// wrong remembers the first problem.
func (f *fields) wrong(name string, value strictjson.Value, allowed string) {
	switch {
	case f.problem != "":
	case value.Kind() == strictjson.None:
		f.problem = fmt.Sprintf("the field %q is missing; it must be %s", name, allowed)
	default:
		f.problem = fmt.Sprintf("the field %q is %s; it must be %s", name, shorten(string(value.Raw())), allowed)
	}
}

func missing(value strictjson.Value) bool {
	return value.Kind() == strictjson.None || value.Kind() == strictjson.Null
}

// shorten makes any text fit for a message: short, valid UTF-8, without control characters.
func shorten(text string) string {
	const enough = 64
	if len(text) > enough {
		cut := enough
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// line reads the identity of an order line.
func (f *fields) line() LineID {
	return LineID{
		OrderID: f.identifier("orderid", f.orderid),
		SKU:     f.identifier("sku", f.sku),
		LineID:  f.optionalIdentifier("lineid", f.lineid),
	}
}
