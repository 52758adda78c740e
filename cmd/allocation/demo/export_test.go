package demo

// For tests, which have no demo.
var (
	ReadSums    = readSums
	MakeIndexes = makeIndexes
)
