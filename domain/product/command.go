package product

// MaxQuantity is the largest quantity of a batch or a line.
const MaxQuantity int64 = 1_000_000_000

// Command is something that someone wants of a product. DecodeCommand gives only valid ones;
// code that makes one by hand keeps to the limits of DecodeCommand. Commands lists them all.
type Command interface {
	// Name is the command's name: "CreateBatch" and so on.
	Name() string
	// Keys are what the command names.
	Keys() Keys
	// apply decides the command and, unless it needs more, carries it out.
	apply(c *Catalog, commandID string) Result
	// expect adds to n what deciding will most likely need.
	expect(n *Need)
}

// Keys are what a command names. Code that orders, holds or locks commands reads them
// here, and need not know which commands there are. What a command does not name is empty.
type Keys struct {
	// SKU is its product. One that names only a batch is about that batch's product.
	SKU string
	// Batch is the reference of a batch that has to exist.
	Batch string
	// Makes is the reference of a batch that it would make.
	Makes string
	// Line is its order line.
	Line LineID
	// Places says that it would place that line.
	Places bool
}
