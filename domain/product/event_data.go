package product

import "strconv"

// AppendData appends the event's JSON data, on one line, with its fields in a fixed order: the same
// event always has the same bytes. Only what JSON demands is escaped.
func (e Event) AppendData(dst []byte) []byte {
	dst = append(dst, '{')
	switch e.Type {
	case BatchCreated:
		dst = appendText(dst, "ref", e.BatchRef)
		dst = appendText(dst, "sku", e.SKU)
		dst = appendNumber(dst, "qty", e.Qty)
		dst = appendOptional(dst, "eta", string(e.ETA))
	case BatchQuantityChanged:
		dst = appendText(dst, "batchref", e.BatchRef)
		dst = appendText(dst, "sku", e.SKU)
		dst = appendNumber(dst, "qty", e.Qty)
		if e.Revision != NoRevision {
			dst = appendNumber(dst, "revision", e.Revision)
		}
	case BatchEtaChanged:
		dst = appendText(dst, "batchref", e.BatchRef)
		dst = appendText(dst, "sku", e.SKU)
		dst = appendOptional(dst, "eta", string(e.ETA))
	default:
		dst = e.appendLine(dst)
	}
	return append(dst, '}')
}

// appendLine appends the fields of an event of a line.
func (e Event) appendLine(dst []byte) []byte {
	dst = appendText(dst, "orderid", e.Line.OrderID)
	dst = appendText(dst, "sku", e.SKU)
	dst = appendNumber(dst, "qty", e.Qty)
	dst = appendOptional(dst, "batchref", e.BatchRef)
	dst = appendOptional(dst, "reason", e.Reason)
	return appendOptional(dst, "lineid", e.Line.LineID)
}

func appendOptional(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendText(dst, name, value)
}

func appendText(dst []byte, name, value string) []byte {
	return appendString(appendName(dst, name), value)
}

func appendNumber(dst []byte, name string, value int64) []byte {
	return strconv.AppendInt(appendName(dst, name), value, 10)
}

func appendName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

func appendString(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
