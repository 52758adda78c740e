package product

import "encoding/json"

// EventData has the fields of all events' data. A field that an event lacks is empty.
type EventData struct {
	Ref      string `json:"ref"`
	BatchRef string `json:"batchref"`
	SKU      string `json:"sku"`
	OrderID  string `json:"orderid"`
	LineID   string `json:"lineid"`
	Qty      int64  `json:"qty"`
	ETA      string `json:"eta"`
	Reason   string `json:"reason"`
	Revision *int64 `json:"revision"`
}

// ReadEventData reads what AppendData wrote. Fields that were added since are ignored.
func ReadEventData(value []byte) (EventData, error) {
	var d EventData
	err := json.Unmarshal(value, &d)
	return d, err
}
