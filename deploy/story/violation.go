package story

import (
	"fmt"
	"strings"
)

// Violation is something that must not be.
type Violation struct {
	Rule  string // a word: what kind
	About string // a customer, an order, a line, a batch, a product, or a partition
	Text  string // what, and at which positions
}

// String is for people.
func (v Violation) String() string { return fmt.Sprintf("%s [%s]: %s", v.Rule, v.About, v.Text) }

// The rules.
const (
	RuleSequence = "sequence"    // events of a key have a gap, another order, or a repeat that differs
	RuleFold     = "fold"        // events of a key do not follow from those before
	RuleOversold = "oversold"    // more of a batch is allocated or gone than there is
	RuleArrived  = "arrived"     // something left a batch that had not arrived
	RuleReady    = "ready"       // an order was announced ready that was not
	RuleExpired  = "expired"     // a line expired too early, or by nothing
	RuleVIP      = "vip"         // a customer was told too often, too late, wrongly or never
	RuleBehind   = "left behind" // stock keeps something for a line that is closed
	RuleStuck    = "stuck"       // an order does not go on though nothing is missing
	RulePick     = "pick"        // goods were taken off the shelf, or left, for nothing or twice
	RuleLedger   = "ledger"      // the warehouse's goods are not those of stock
	RuleTask     = "task"        // the warehouse noted what no task says, or not what one says
	RuleTables   = "tables"      // a table says something else than events
	RuleCommand  = "command"     // a command came to nothing, or to two things
	RuleLetter   = "letter"      // a dead letter that nobody meant
	RuleOutbox   = "outbox"      // a record is not applied, or a row not published
	RuleHeld     = "held"        // a key is held
)

// Report joins violations into one text, the first few of them.
func Report(violations []Violation) string {
	const most = 30
	var text strings.Builder
	fmt.Fprintf(&text, "%d violations\n", len(violations))
	for _, v := range violations[:min(most, len(violations))] {
		text.WriteString(v.String() + "\n")
	}
	return text.String()
}
