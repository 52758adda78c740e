package checker

import "fmt"

// Model decides commands of all products by the checker's rules. It is exported for tests of the
// service's rules, which must come to the same.
type Model struct {
	products map[string]*product
	owners   map[string]string // of batches
}

// NewModel has no product yet.
func NewModel() *Model { return &Model{products: map[string]*product{}, owners: map[string]string{}} }

// Apply applies a command of a type, with the id that its sender gave it. It returns the reason of
// a refusal, and the events, each as its sequence, its type and its data.
func (m *Model) Apply(commandType, id string, data []byte) (reason string, events []string) {
	c := newCommand()
	c.id, c.kind = id, commandType
	c.read(data)
	reason, all := m.decide(c)
	for _, e := range all {
		events = append(events, fmt.Sprintf("%d %s %s", e.sequence, e.kind, e.data.json()))
	}
	return reason, events
}

func (m *Model) decide(c *command) (reason string, events []expected) {
	p := m.product(c)
	effect, reason := p.verdict(c)
	switch {
	case effect:
		if c.kind == "CreateBatch" {
			m.owners[c.ref] = p.sku
		}
		return "", p.apply(c)
	case reason != "" && c.kind == "Allocate" && c.refusal == "":
		return reason, []expected{rejection(c, reason)}
	}
	return reason, nil
}

// product is the one that a command is about.
func (m *Model) product(c *command) *product {
	sku, owned := m.owners[c.ref]
	if !owned {
		sku = c.sku
	}
	if m.products[sku] == nil {
		m.products[sku] = newProduct(sku)
	}
	return m.products[sku]
}
