package product

// What the catalog already knows it keeps: a command may have changed it since it was loaded. So
// everything may be told more than once, as long as the database did not change in between.

// LearnProduct tells a product's version and the number of its waiting lines. Version 0: it does
// not exist.
func (c *Catalog) LearnProduct(sku string, version, waiting int64) {
	p := c.product(sku)
	if p.knowledge != unknown {
		return
	}
	p.knowledge = present
	p.Version, p.Loaded, p.Waiting = version, version, waiting
	if version == 0 {
		p.knowledge = absent
		p.open.all()
	}
}

// LearnBatch tells a batch.
func (c *Catalog) LearnBatch(loaded Batch) {
	b := c.batch(loaded.Ref)
	if b.knowledge != unknown {
		return
	}
	b.knowledge = present
	b.Batch = loaded
	if b.Available() > 0 {
		c.product(b.SKU).open.insert(b)
	}
}

// LearnNoBatch tells that no batch has this reference.
func (c *Catalog) LearnNoBatch(ref string) {
	if b := c.batch(ref); b.knowledge == unknown {
		b.knowledge = absent
	}
}

// LearnLine tells a line. It reports false where the line was told not to exist: one of the two was
// wrong.
func (c *Catalog) LearnLine(loaded Line) bool {
	if known, ok := c.line(loaded.ID); ok {
		return known != nil && known.fate != created
	}
	l := &line{Line: loaded}
	c.lines[loaded.ID] = l
	switch l.State {
	case Waiting:
		c.product(l.ID.SKU).waiting.insert(l)
	case Allocated:
		c.batch(l.BatchRef).attach(l)
	}
	return true
}

// LearnNoLine tells that no line has this identity.
func (c *Catalog) LearnNoLine(id LineID) {
	if _, ok := c.line(id); !ok {
		c.lines[id] = nil
	}
}

// LearnOpen tells how far the product's batches with at least so much available (0 is as 1), in
// order of preference, have been told: up to last, as it was loaded, or all of them, if it is nil.
func (c *Catalog) LearnOpen(sku string, least int64, last *Batch) {
	c.product(sku).open.learn(max(least, 1), last)
}

// LearnTail tells that all lines that the database has on the batch, and that were placed at from
// or later, have been told. 0: all.
func (c *Catalog) LearnTail(ref string, from int64) {
	b := c.batch(ref)
	b.knownFrom = min(b.knownFrom, from)
}

// LearnWaiting tells that all lines of the product that wait for a quantity of at most reach have
// been told. For a quantity in truncated, those placed after the value have not.
func (c *Catalog) LearnWaiting(sku string, reach int64, truncated map[int64]int64) {
	c.product(sku).waiting.learn(reach, truncated)
}
