// Package event reads the events of products as a consumer sees them, and says in words what
// happened.
package event

import (
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cloudevent"
	"allocation/domain/product"
	"allocation/store/products"
)

// Event is an event of a product.
type Event struct{ cloudevent.Event }

// Read reads a record as an event.
func Read(r *kgo.Record) Event { return Event{cloudevent.Read(r)} }

// ShortType is the type without what all have in common.
func (e *Event) ShortType() string { return strings.TrimPrefix(e.Type, products.Service.TypePrefix) }

// Number is the sequence as people write it, empty where the event has none.
func (e *Event) Number() string {
	n, err := strconv.ParseInt(e.Sequence, 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// Words says what happened.
func (e *Event) Words() string { return Describe(e.ShortType(), e.Data) }

// Fields are the fields of the data. What cannot be read stays empty.
func (e *Event) Fields() product.EventData {
	d, _ := product.ReadEventData(e.Data)
	return d
}
