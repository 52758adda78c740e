package checker

import (
	"fmt"
	"strings"
)

// Violation is something that must not be.
type Violation struct {
	Rule    string   // a word: what kind
	SKU     string   // empty where it is not about one product
	Text    string   // what, and at which positions
	Stretch []string // the history around it
}

// String is for people.
func (v Violation) String() string {
	text := v.Rule
	if v.SKU != "" {
		text += fmt.Sprintf(" [%s]", v.SKU)
	}
	text += ": " + v.Text
	if len(v.Stretch) > 0 {
		text += "\n    " + strings.Join(v.Stretch, "\n    ")
	}
	return text
}

// The rules.
const (
	RulePhantom  = "phantom"   // an event or a dead letter that no command made
	RuleRepeat   = "repeat"    // a repeat with other bytes
	RuleOrder    = "order"     // first appearances out of sequence
	RuleEffect   = "effect"    // a command did not do what it must
	RuleLetter   = "letter"    // a dead letter, or an operator's decision about it, is wrong
	RuleHeld     = "held"      // a held product, or a command that waits for it, is wrong
	RuleFold     = "fold"      // the tables are not what commands and events add up to
	RuleOutbox   = "outbox"    // the outbox and the topics differ
	RulePosition = "position"  // a position is not at the end
	RuleCycle    = "causality" // no order of commands agrees with partitions and sequences
	RuleInput    = "input"     // Kafka lost a command
)

// Report joins violations into one text, the first few of them.
func Report(violations []Violation) string {
	const most = 20
	var text strings.Builder
	fmt.Fprintf(&text, "%d violations\n", len(violations))
	for _, v := range violations[:min(most, len(violations))] {
		text.WriteString(v.String() + "\n")
	}
	return text.String()
}
