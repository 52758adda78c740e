package checker

import (
	"fmt"
	"runtime/debug"
)

// check is one run of the checker.
type check struct {
	history *History

	partitions        *numbering[topicPartition]
	sources           map[int32]int32 // the partitions of positions.source
	skus, refs, kinds *numbering[string]

	entries     []entry // by partition, then by offset
	byPartition groups
	owners      []int32     // by ref: the product that has the batch
	traits      []trait     // by product
	events      []event     // the surviving ones, each once; by entry, then by number
	lostEvents  []lostEvent // of timelines that the database lost
	letters     []*letter

	byProduct  groups // entries
	sequenced  groups // events with a sequence, by product; in order of sequence once checkOrder is through
	chronology chronology
	quiet      []bracket // by entry: the events between which one without effect stands

	found   []Violation
	counted int
}

// Check finds everything that is wrong with a history.
func Check(h *History) []Violation {
	defer debug.SetGCPercent(debug.SetGCPercent(collectSooner)) // the history alone may be a quarter of the machine's memory
	c := &check{history: h, partitions: newNumbering[topicPartition](), sources: map[int32]int32{},
		skus: newNumbering[string](), refs: newNumbering[string](), kinds: newNumbering[string]()}
	c.numberPartitions()
	sightings, rows := c.readSightings(), c.readRows()
	letters := c.readLetters()
	c.readCommands()
	c.reportLosses()
	c.markHeld()
	c.settleLetters(letters, rows)
	c.settleEvents(sightings, rows)
	c.settleProducts()
	c.checkStrays()
	c.checkOrder()
	c.chronology = c.chronicle()
	c.replay()
	c.checkRejections()
	c.checkMerge()
	c.checkHeld()
	c.checkRowNumbers()
	c.checkPositions()
	return c.found
}

// numberPartitions numbers the partitions that are known.
func (c *check) numberPartitions() {
	for _, p := range c.history.Partitions {
		c.partitions.number(topicPartition{p.Topic, p.Partition})
	}
	for _, p := range c.history.Tables.Positions {
		c.sources[p.Source] = c.partitions.number(topicPartition{p.Topic, p.Partition})
	}
}

func (c *check) reportLosses() {
	for i := range c.history.Lost {
		c.report(RuleInput, "", nil, "Kafka acknowledged the command at %s, but does not have it", placeOf(&c.history.Lost[i]))
	}
}

// collectSooner is how much may be allocated before garbage is collected, in percent of what is in
// use.
const collectSooner = 30

// Where much is wrong, the first violations tell enough, and what came before and after only of
// fewer.
const (
	maxStretches  = 200
	maxViolations = 20_000
)

func (c *check) report(rule, sku string, stretch func() []string, format string, args ...any) {
	c.counted++
	if c.counted > maxViolations {
		return
	}
	v := Violation{Rule: rule, SKU: sku, Text: fmt.Sprintf(format, args...)}
	if stretch != nil && c.counted <= maxStretches {
		v.Stretch = stretch()
	}
	c.found = append(c.found, v)
}

func lines(lines ...string) func() []string { return func() []string { return lines } }
