package orders

// The queries of a load, and of what is shown, for tests.
const (
	PageSQL    = pageSQL
	LinesSQL   = linesSQL
	EarlySQL   = earlySQL
	BatchesSQL = `select ref from stock_batches where ` + batchesSQL

	CustomersOrdersSQL = customersOrdersSQL
)
