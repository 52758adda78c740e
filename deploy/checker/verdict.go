package checker

// verdict says what a command would come to now: an effect, or none, or a refusal. It changes
// nothing.
func (p *product) verdict(c *command) (effect bool, reason string) {
	if c.refusal != "" {
		return false, c.refusal
	}
	switch c.kind {
	case "CreateBatch":
		return p.verdictOnCreate(c)
	case "ChangeBatchQuantity", "ChangeBatchEta":
		return p.verdictOnBatch(c)
	}
	return p.verdictOnLine(c)
}

func (p *product) verdictOnCreate(c *command) (bool, string) {
	b := p.batches[c.ref]
	switch {
	case b == nil:
		return true, ""
	case p.sku == c.sku && b.firstQty == c.qty && b.firstETA == c.eta:
		return false, ""
	}
	return false, "batch_conflict"
}

func (p *product) verdictOnBatch(c *command) (bool, string) {
	b := p.batches[c.ref]
	switch {
	case b == nil:
		return false, "unknown_batch"
	case c.sku != "" && c.sku != p.sku:
		return false, "sku_mismatch"
	case c.kind == "ChangeBatchEta":
		return b.eta != c.eta, ""
	case c.revision >= 0:
		return c.revision > b.revision, ""
	}
	repeat := c.id != "" && c.id == b.lastChange
	return b.qty != c.qty && !repeat, ""
}

func (p *product) verdictOnLine(c *command) (bool, string) {
	if c.kind == "Allocate" && p.version == 0 {
		return false, "unknown_sku"
	}
	l := p.line(c.orderID, c.lineID)
	if l == nil {
		if c.kind == "Allocate" {
			return true, ""
		}
		return false, "unknown_line"
	}
	return l.verdict(c)
}

func (l *line) verdict(c *command) (bool, string) {
	switch c.kind + " " + l.state {
	case "Deallocate " + dispatched:
		return false, "line_dispatched"
	case "Deallocate " + cancelled, "Dispatch " + dispatched:
		return false, ""
	case "Dispatch " + waiting:
		return false, "line_waiting"
	case "Dispatch " + cancelled:
		return false, "line_cancelled"
	case "Dispatch " + allocated:
		if l.on.eta != "" {
			return false, "batch_not_arrived"
		}
		return true, ""
	case "Deallocate " + waiting, "Deallocate " + allocated:
		return true, ""
	}
	switch { // Allocate
	case l.qty != c.qty:
		return false, "line_conflict"
	case l.state == cancelled:
		return false, "line_cancelled"
	}
	return false, ""
}
