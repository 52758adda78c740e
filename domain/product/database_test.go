package product_test

import (
	"cmp"
	"math"
	"slices"

	"allocation/domain/product"
)

// tables are what is kept of products, as plain rows.
type tables struct {
	versions map[string]int64
	batches  map[string]product.Batch
	lines    map[product.LineID]product.Line
}

func newTables() tables {
	return tables{map[string]int64{}, map[string]product.Batch{}, map[product.LineID]product.Line{}}
}

// database is what a store would keep. It answers a Need and takes what a catalog changed.
type database struct {
	tables
	rounds int // how often something was loaded
}

func newDatabase() *database { return &database{tables: newTables()} }

// measure decides how much is loaded for a wish.
type measure struct {
	// window is how many rows are loaded where wish are asked for.
	window func(wish int) int
	// extra loads batches of lines and products of batches too.
	extra bool
}

var (
	// generous loads as much as is asked for.
	generous = measure{window: func(wish int) int { return wish }, extra: true}
	// miserly loads one row, then one more each time.
	miserly = measure{window: func(wish int) int {
		n := 1
		for ; wish >= 64; wish /= 8 {
			n++
		}
		return n
	}}
)

// apply applies cmd, loading what it needs before.
func (db *database) apply(c *product.Catalog, cmd product.Command, id string, m measure) product.Result {
	for range 10_000 {
		result := c.Apply(cmd, id)
		if result.Need == nil {
			return result
		}
		db.answer(c, result.Need, m)
	}
	panic("a command needs more and more")
}

func (db *database) answer(c *product.Catalog, need *product.Need, m measure) {
	if need.Empty() {
		panic("an empty need")
	}
	db.rounds++
	for sku, p := range need.Products {
		db.answerProduct(c, sku, p, m)
	}
	for ref, b := range need.Batches {
		db.answerBatch(c, ref, b, m)
	}
	for id := range need.Lines {
		l, ok := db.lines[id]
		if !ok {
			c.LearnNoLine(id)
			continue
		}
		c.LearnLine(l)
		if m.extra && l.BatchRef != "" {
			c.LearnBatch(db.batches[l.BatchRef])
		}
	}
}

func (db *database) answerProduct(c *product.Catalog, sku string, need *product.WindowNeed, m measure) {
	c.LearnProduct(sku, db.versions[sku], int64(len(db.waiting(sku, math.MaxInt64))))
	if need.Open > 0 {
		db.answerOpen(c, sku, need.Least, m.window(need.Open))
	}
	if need.Reach > 0 {
		db.answerWaiting(c, sku, need.Reach, m.window(need.PerQty))
	}
}

func (db *database) answerOpen(c *product.Catalog, sku string, least int64, count int) {
	open := slices.DeleteFunc(db.open(sku), func(b product.Batch) bool { return b.Available() < least })
	window := open[:min(count, len(open))]
	for _, b := range window {
		c.LearnBatch(b)
	}
	if len(window) == len(open) {
		c.LearnOpen(sku, least, nil)
		return
	}
	c.LearnOpen(sku, least, &window[len(window)-1])
}

func (db *database) answerWaiting(c *product.Catalog, sku string, reach int64, perQty int) {
	count, last, truncated := map[int64]int{}, map[int64]int64{}, map[int64]int64{}
	for _, l := range db.waiting(sku, reach) {
		if count[l.Qty] == perQty {
			truncated[l.Qty] = last[l.Qty]
			continue
		}
		count[l.Qty]++
		last[l.Qty] = l.Placed
		c.LearnLine(l)
	}
	c.LearnWaiting(sku, reach, truncated)
}

func (db *database) answerBatch(c *product.Catalog, ref string, need product.BatchNeed, m measure) {
	b, ok := db.batches[ref]
	if !ok {
		c.LearnNoBatch(ref)
		return
	}
	c.LearnBatch(b)
	if m.extra {
		c.LearnProduct(b.SKU, db.versions[b.SKU], int64(len(db.waiting(b.SKU, math.MaxInt64))))
	}
	if need.ShrinkTo == product.NoShrink {
		return
	}
	lines := db.on(ref)
	left := b.Allocated
	for left > need.ShrinkTo {
		last := lines[len(lines)-1]
		lines = lines[:len(lines)-1]
		left -= last.Qty
		c.LearnLine(last)
		c.LearnTail(ref, last.Placed)
	}
	if left == 0 {
		c.LearnTail(ref, 0)
	}
}

// open is the product's open batches in order of preference.
func (db *database) open(sku string) (open []product.Batch) {
	for _, b := range db.batches {
		if b.SKU == sku && b.Available() > 0 {
			open = append(open, b)
		}
	}
	slices.SortFunc(open, func(a, b product.Batch) int { return product.ComparePreference(&a, &b) })
	return open
}

// waiting is the product's waiting lines of at most this quantity, in placed order.
func (db *database) waiting(sku string, most int64) []product.Line {
	return db.rows(func(l product.Line) bool {
		return l.ID.SKU == sku && l.State == product.Waiting && l.Qty <= most
	})
}

// on is the lines allocated to a batch, in placed order.
func (db *database) on(ref string) []product.Line {
	return db.rows(func(l product.Line) bool { return l.State == product.Allocated && l.BatchRef == ref })
}

func (db *database) rows(want func(product.Line) bool) (lines []product.Line) {
	for _, l := range db.lines {
		if want(l) {
			lines = append(lines, l)
		}
	}
	slices.SortFunc(lines, func(a, b product.Line) int { return cmp.Compare(a.Placed, b.Placed) })
	return lines
}

// save writes what the catalog changed. It panics where a store's statement would fail.
func (db *database) save(c *product.Catalog) {
	for _, p := range c.Products() {
		if db.versions[p.SKU] != p.Loaded {
			panic("the loaded version is not the database's")
		}
		if p.Version > 0 {
			db.versions[p.SKU] = p.Version
		}
		for _, b := range p.NewBatches() {
			insert(db.batches, b.Ref, *b)
		}
		for _, b := range p.UpdatedBatches() {
			update(db.batches, b.Ref, *b)
		}
		for _, l := range p.NewLines() {
			insert(db.lines, l.ID, *l)
		}
		for _, l := range p.UpdatedLines() {
			update(db.lines, l.ID, *l)
		}
		if waiting := int64(len(db.waiting(p.SKU, math.MaxInt64))); waiting != p.Waiting {
			panic("the count of waiting lines is wrong")
		}
	}
}

func insert[K comparable, V any](rows map[K]V, key K, row V) {
	if _, ok := rows[key]; ok {
		panic("inserts a row that exists")
	}
	rows[key] = row
}

func update[K comparable, V any](rows map[K]V, key K, row V) {
	if _, ok := rows[key]; !ok {
		panic("updates a row that does not exist")
	}
	rows[key] = row
}
