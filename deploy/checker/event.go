package checker

import (
	"fmt"
	"strconv"
	"strings"
)

// event is the first appearance of an event that survived.
type event struct {
	sequence int64 // 0: none
	record   int32 // in History.Events
	entry    int32
	number   int32 // within its command
	kind     int32
	product  int32
	again    []int32 // further appearances, where the database lost a timeline
}

// readSightings finds the place that each event names.
func (c *check) readSightings() (all []mention) {
	topics := map[string]string{}
	for topic, id := range c.history.TopicIDs {
		topics[id] = topic
	}
	for i, p := range c.history.Events {
		r := p.Record()
		s, err := c.sight(string(r.header("ce_id")), topics)
		if err != nil {
			c.report(RulePhantom, string(r.Key), lines(describe(&r)), "the event at %s: %v", placeOf(&r), err)
			continue
		}
		s.index = int32(i)
		all = append(all, s)
	}
	return all
}

func (c *check) sight(id string, topics map[string]string) (m mention, err error) {
	if parts := strings.Split(id, "."); len(parts) == 4 {
		at, ok := c.spotOf(topics[parts[0]], parts[1], parts[2])
		number, err := strconv.ParseInt(parts[3], 10, 32)
		if ok && err == nil && number >= 0 {
			return mention{eventID: eventID{at, int32(number)}}, nil
		}
	}
	return m, fmt.Errorf("its ce_id %q names no command as <topic id>.<partition>.<offset>.<number>", id)
}

// spotOf is a place in a command topic, as texts say it.
func (c *check) spotOf(topic, partition, offset string) (s spot, ok bool) {
	p, err1 := strconv.ParseInt(partition, 10, 32)
	o, err2 := strconv.ParseInt(offset, 10, 64)
	if _, known := c.history.Kinds[topic]; err1 != nil || err2 != nil || !known {
		return spot{partition: none}, false
	}
	return spot{c.partitions.number(topicPartition{topic, int32(p)}), o}, true
}

// readEvent reads a record as an event of an entry.
func (c *check) readEvent(record, entry, number int32) (e event, r Record, err error) {
	r = c.history.Events[record].Record()
	e = event{record: record, entry: entry, number: number, kind: c.kinds.number(strings.TrimPrefix(string(r.header("ce_type")), typePrefix)),
		product: c.skus.number(string(r.Key))}
	if text := r.header("ce_sequence"); text != nil {
		e.sequence, err = strconv.ParseInt(string(text), 10, 64)
		if err != nil || e.sequence < 1 || len(text) != 19 {
			return e, r, fmt.Errorf("its ce_sequence is %q", text)
		}
	}
	return e, r, nil
}

func (c *check) idOf(e *event) string {
	at := c.placeOf(e.entry)
	return fmt.Sprintf("%s.%d.%d.%d", c.history.TopicIDs[at.topic], at.partition, at.offset, e.number)
}

func (c *check) recordOf(e *event) Record { return c.history.Events[e.record].Record() }
