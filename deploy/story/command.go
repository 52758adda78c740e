package story

import (
	"strings"
	"time"
)

// command is one that a customer sent, or that makes a cart expire, and what came of it.
type command struct {
	kind     string
	order    string
	line     string
	time     time.Time
	readable bool   // its data is what a command's must be
	effects  string // the events that it made first hand, in short
}

// customersCommands are those that customers send. The others the service sends to itself. Of these
// it is known what expireCart made.
var customersCommands = map[string]string{
	"AddToCart": "CartLineAdded", "RemoveFromCart": "CartLineRemoved", "PlaceOrder": "OrderPlaced", "CancelOrder": "OrderCancelled",
}

const expireCart = "ExpireCart"

const maxQuantity = 1_000_000_000

func (c *Checker) takeCommand(m *message) {
	if customersCommands[m.kind] == "" && m.kind != expireCart {
		return
	}
	at := m.place()
	x := c.commandAt(at)
	x.kind, x.order, x.line, x.time = m.kind, m.OrderID, m.LineID, m.record.Timestamp
	x.readable = m.unreadable == nil && (m.kind != "AddToCart" || m.Qty >= 1 && m.Qty <= maxQuantity)
}

func (c *Checker) commandAt(at place) *command {
	x := c.commands[at]
	if x == nil {
		x = &command{}
		c.commands[at] = x
	}
	return x
}

// noteEffect notes what an event says of the customer's command that made it.
func (c *Checker) noteEffect(m *message) {
	for _, made := range customersCommands {
		if m.kind != made {
			continue
		}
		if at, ok := c.placeOf(m.command()); !ok {
			c.report(RuleFold, m.OrderID, "the id %q of %s names no record", m.id, m)
		} else if at.topic == c.topics.OrderCommands {
			x := c.commandAt(at)
			x.effects = strings.TrimSpace(x.effects + " " + m.kind)
		}
	}
}

// checkCommands looks at what became of each command.
func (c *Checker) checkCommands() {
	for at, x := range c.commands {
		reason := c.letters[at].reason
		switch {
		case x.kind == "":
			c.report(RuleCommand, at.String(), "%s comes of no customer's command", x.effects)
		case x.kind == expireCart: // checkExpired looks at what it removed
			if more := strings.TrimSpace(strings.ReplaceAll(x.effects, "CartLineRemoved", "")); more != "" {
				c.report(RuleCommand, x.order, "the %s at %s made %s", x.kind, at, more)
			}
		case x.effects != "" && reason != "":
			c.report(RuleCommand, x.order, "the %s at %s made %s, and is a dead letter, too: %s", x.kind, at, x.effects, reason)
		case x.effects != "" && x.effects != customersCommands[x.kind]:
			c.report(RuleCommand, x.order, "the %s at %s made %s", x.kind, at, x.effects)
		case x.effects == "" && reason == "":
			c.checkSilent(at, x)
		}
	}
}

// checkSilent is about a command that made nothing: what it asked for was so.
func (c *Checker) checkSilent(at place, x *command) {
	o := c.orders[x.order]
	is := false // each AddToCart makes a line
	switch {
	case o == nil:
	case x.kind == "PlaceOrder":
		is = o.placed
	case x.kind == "CancelOrder":
		is = o.ended == cancelled
	case x.kind == "RemoveFromCart":
		is = o.lines[x.line] != nil && o.lines[x.line].closed != ""
	}
	if !is {
		c.report(RuleCommand, x.order, "the %s at %s came to nothing", x.kind, at)
	}
}
