package warehouse

// Data has the fields that the data of an event or a command may have. What it lacks is left out.
type Data struct {
	SKU      string `json:"sku,omitempty"`
	Shipment int64  `json:"shipment,omitempty"`
	Ref      string `json:"ref,omitempty"`
	BatchRef string `json:"batchref,omitempty"`
	OrderID  string `json:"orderid,omitempty"`
	LineID   string `json:"lineid,omitempty"`
	Fact     int64  `json:"fact,omitempty"`
	Qty      *int64 `json:"qty,omitempty"`
	Revision *int64 `json:"revision,omitempty"`
	ETA      string `json:"eta,omitempty"`
	Report   string `json:"report,omitempty"`
	Reason   string `json:"reason,omitempty"`
	After    int64  `json:"after,omitempty"`
	Before   int64  `json:"before,omitempty"`
}

// Events are the types of all events.
var Events = []string{"ShipmentAnnounced", "ShipmentArrived", "GoodsLost", "GoodsFound", "LinePicked", "LinePutBack", "LineShipped", "EventsMissed"}
