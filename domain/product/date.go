package product

import "time"

// Date is a day as "YYYY-MM-DD", from 0001-01-01 to 9999-12-31, or "" for none. The order of the
// texts is the order of time, and none comes first.
type Date string

// ParseDate reads a day. It reports whether text is a real one, written exactly so.
func ParseDate(text string) (Date, bool) {
	const layout = "2006-01-02"
	if len(text) != len(layout) || text[:4] == "0000" {
		return "", false
	}
	if _, err := time.Parse(layout, text); err != nil {
		return "", false
	}
	return Date(text), true
}
