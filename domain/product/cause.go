package product

// CommandOf is the name of the command whose first event is of a type; of Deallocated, with its
// reason. It is empty for an event that is never first.
func CommandOf(first EventType, reason string) string {
	switch first {
	case BatchCreated:
		return createBatch.Name
	case BatchQuantityChanged:
		return changeBatchQuantity.Name
	case BatchEtaChanged:
		return changeBatchEta.Name
	case LineAllocated, LineOutOfStock, AllocationRejected:
		return allocate.Name
	case LineDispatched:
		return dispatch.Name
	case LineDeallocated:
		if reason == DeallocatedCancelled {
			return deallocate.Name
		}
	}
	return ""
}

// Rebuild makes a command's data out of its first event's. What comes of it is the same, though the
// command itself may have been without an optional sku. The name is empty for an event that is
// never first.
func Rebuild(first EventType, d EventData) (name string, data []byte) {
	name = CommandOf(first, d.Reason)
	data = append(data, '{')
	switch name {
	case createBatch.Name:
		data = appendText(data, "ref", d.Ref)
		data = appendText(data, "sku", d.SKU)
		data = appendNumber(data, "qty", d.Qty)
		data = appendOptional(data, "eta", d.ETA)
	case changeBatchQuantity.Name:
		data = appendText(data, "batchref", d.BatchRef)
		data = appendText(data, "sku", d.SKU)
		data = appendNumber(data, "qty", d.Qty)
		if d.Revision != nil {
			data = appendNumber(data, "revision", *d.Revision)
		}
	case changeBatchEta.Name:
		data = appendText(data, "batchref", d.BatchRef)
		data = appendText(data, "sku", d.SKU)
		data = appendOptional(data, "eta", d.ETA)
	default:
		data = appendText(data, "orderid", d.OrderID)
		data = appendText(data, "sku", d.SKU)
		if name == allocate.Name {
			data = appendNumber(data, "qty", d.Qty)
		}
		data = appendOptional(data, "lineid", d.LineID)
	}
	return name, append(data, '}')
}
