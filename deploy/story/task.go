package story

// takeTask takes a command of the warehouse.
func (c *Checker) takeTask(m *message) {
	if m.kind == "PickLine" {
		a := c.askedOf(m)
		a.picks = once(a.picks, m)
		a.told++
	}
}
