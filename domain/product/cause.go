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
