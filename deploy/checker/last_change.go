package checker

// lastChanges are the rows of batches, by SKU.
func (c *check) lastChanges() map[string][]*BatchRow {
	rows := map[string][]*BatchRow{}
	for i := range c.history.Tables.Batches {
		row := &c.history.Tables.Batches[i]
		rows[row.SKU] = append(rows[row.SKU], row)
	}
	return rows
}

// checkLastChanges compares what only the model knows with the tables: the last change of each
// batch.
func (t *timeline) checkLastChanges(rows []*BatchRow) {
	for _, row := range rows {
		if b := t.product.batch(row.Ref); b != nil && b.lastChange != row.LastChange {
			t.check.report(RuleFold, row.SKU, nil, "batch %s was last changed by %q, the table has %q", row.Ref, b.lastChange, row.LastChange)
		}
	}
}
