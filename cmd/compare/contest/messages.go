package contest

import "fmt"

// AllocateType and AllocatedType are what a command and its event say in ce_type.
const (
	AllocateType  = "allocation.v1.Allocate"
	AllocatedType = "allocation.v1.Allocated"
)

// Command is the value of an Allocate command.
type Command struct {
	OrderID string `json:"orderid"`
	SKU     string `json:"sku"`
	Qty     int64  `json:"qty"`
}

// Allocated is the value of the event of a command that got a batch.
type Allocated struct {
	Command
	BatchRef string `json:"batchref"`
}

// EventID names the event of the command at a place in Kafka.
func EventID(partition int32, offset int64) string { return fmt.Sprintf("%d-%d-0", partition, offset) }
