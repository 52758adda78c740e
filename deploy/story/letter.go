package story

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// letter is a dead letter.
type letter struct {
	reason, kind string
	records      int // its repeats, too
}

// meant are the reasons that this story makes on purpose, by the type of the command.
var meant = map[string][]string{
	"AddToCart":      {"malformed", "order_placed", "order_ended", "cart_full"},
	"RemoveFromCart": {"unknown_cart", "unknown_line", "order_placed", "order_ended"},
	"PlaceOrder":     {"unknown_cart", "cart_empty", "order_ended"},
	"CancelOrder":    {"unknown_cart", "on_its_way", "order_ended"},
	"Allocate":       {"unknown_sku", "line_cancelled"},
	"Deallocate":     {"unknown_line", "line_dispatched"},
	// The warehouse sends it for a line that stock has on a batch that has arrived. It tells no loss
	// of a batch meanwhile, and nobody else changes batches here: the line cannot move, or lose its
	// batch. It may be cancelled. Sent again, it has no effect where the line has left.
	"Dispatch": {"line_cancelled"},
}

func (c *Checker) takeLetter(r *kgo.Record) {
	at, err := original(r)
	if err != nil {
		c.report(RuleLetter, place{r.Topic, r.Partition, r.Offset}.String(), "it names no record: %v", err)
		return
	}
	m := readMessage(r)
	l := letter{header(r, "dlq-reason"), m.kind, 1}
	if before, known := c.letters[at]; known {
		l.records = before.records + 1
		if before.reason != l.reason || before.kind != l.kind {
			c.report(RuleLetter, at.String(), "it is refused with %s, and with %s", before.reason, l.reason)
		}
	}
	c.letters[at] = l
	if !slices.Contains(meant[l.kind], l.reason) && l.records == 1 {
		c.report(RuleLetter, at.String(), "%s is refused with %s: %s", m.kind, l.reason, header(r, "dlq-message"))
	}
}

// checkLetters compares dead letters with the table, and with what became of their orders.
func (c *Checker) checkLetters(t *Tables) {
	rows := map[place]bool{}
	for _, row := range t.Letters {
		at := place{row.Topic, row.Partition, row.Offset}
		rows[at] = true
		if c.letters[at].reason != row.Reason {
			c.report(RuleTables, at.String(), "the table of dead letters has %q, the topic %q", row.Reason, c.letters[at].reason)
		}
	}
	for at, l := range c.letters {
		if !rows[at] {
			c.report(RuleTables, at.String(), "the topic has a dead letter %s (%s), and the table none", l.reason, l.kind)
		}
		if x := c.commands[at]; x != nil && x.kind != "" {
			c.checkRefused(at, x, l.reason)
		}
	}
}

// checkRefused looks whether a customer's command was refused for a reason that there was.
func (c *Checker) checkRefused(at place, x *command, reason string) {
	o := c.orders[x.order]
	is := true
	switch reason {
	case "malformed":
		is = !x.readable
	case "order_placed":
		is = o != nil && o.placed
	case "order_ended":
		is = o != nil && o.ended != ""
	case "on_its_way":
		is = o != nil && c.left(o) > 0
	}
	if !is {
		c.report(RuleLetter, x.order, "the %s at %s was refused with %s, which is not so", x.kind, at, reason)
	}
}
