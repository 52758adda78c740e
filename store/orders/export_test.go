package orders

// The queries of a load, for tests.
const (
	PageSQL    = pageSQL
	LinesSQL   = linesSQL
	BatchesSQL = `select ref from stock_batches where ` + batchesSQL
)
