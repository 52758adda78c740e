package checker

import (
	"cmp"
	"slices"
)

const none = int32(-1)

// entry is a command with what was seen to come of it. There are millions: see command for what it
// says.
type entry struct {
	offset     int64
	record     int32 // in History.Commands
	partition  int32
	sku, ref   int32 // the names that it gives
	first      int32 // of its events, in check.events
	events     int32 // how many
	letter     int32 // in check.letters
	unreadable bool
	held       bool // it still waits behind a dead letter
	packed     bool // it is a batch of records that was not unpacked
}

// readCommands puts all commands in order: by partition, then by offset.
func (c *check) readCommands() {
	for i, p := range c.history.Commands {
		at := p.place()
		c.entries = append(c.entries, entry{record: int32(i), partition: c.partitions.number(topicPartition{at.topic, at.partition}), offset: at.offset, sku: none, ref: none, letter: none})
	}
	slices.SortFunc(c.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
	})
	c.leavePacked(c.packedBatches())
	for i := range c.entries {
		c.name(&c.entries[i])
	}
	c.byPartition = groupBy(len(c.entries), len(c.partitions.all), func(i int) int32 { return c.entries[i].partition })
}

// name notes what an entry names.
func (c *check) name(e *entry) {
	o := c.decoded(e)
	e.unreadable = o.refusal != ""
	if e.unreadable {
		return
	}
	if o.sku != "" {
		e.sku = c.skus.number(o.sku)
	}
	if o.ref != "" {
		e.ref = c.refs.number(o.ref)
	}
}

func (c *check) decoded(e *entry) *command {
	r := c.recordOfCommand(e)
	if e.packed {
		return &command{at: placeOf(&r), time: r.Time, refusal: tooLarge}
	}
	return decode(&r, c.history.Kinds[r.Topic])
}

// at is the entry at a spot, or none.
func (c *check) at(s spot) int32 {
	if s.partition == none || int(s.partition) >= len(c.byPartition.starts)-1 {
		return none
	}
	list := c.byPartition.of(s.partition)
	i, ok := slices.BinarySearchFunc(list, s.offset, func(n int32, offset int64) int { return cmp.Compare(c.entries[n].offset, offset) })
	if !ok {
		return none
	}
	return list[i]
}

func (c *check) placeOf(i int32) place {
	return c.placeAt(spot{c.entries[i].partition, c.entries[i].offset})
}

func (c *check) placeAt(s spot) place {
	if s.partition == none {
		return place{topic: "?"}
	}
	l := c.partitions.all[s.partition]
	return place{l.topic, l.partition, s.offset}
}

// unsequenced are the events of an entry that have no sequence.
func (c *check) unsequenced(i int32) (events []*event) {
	e := &c.entries[i]
	for n := e.first; n < e.first+e.events; n++ {
		if c.events[n].sequence == 0 {
			events = append(events, &c.events[n])
		}
	}
	return events
}

// letterOf is the dead letter of an entry, or nil.
func (c *check) letterOf(i int32) *letter {
	if n := c.entries[i].letter; n != none {
		return c.letters[n]
	}
	return nil
}
