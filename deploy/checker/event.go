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

// sighting is any appearance of an event.
type sighting struct {
	spot
	number int32
	record int32
}

// readSightings finds the place that each event names.
func (c *check) readSightings() (all []sighting) {
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
		s.record = int32(i)
		all = append(all, s)
	}
	return all
}

func (c *check) sight(id string, topics map[string]string) (s sighting, err error) {
	parts := strings.Split(id, ".")
	if len(parts) != 4 {
		return s, fmt.Errorf("its ce_id %q is not <topic id>.<partition>.<offset>.<number>", id)
	}
	partition, err1 := strconv.ParseInt(parts[1], 10, 32)
	offset, err2 := strconv.ParseInt(parts[2], 10, 64)
	number, err3 := strconv.ParseInt(parts[3], 10, 32)
	topic, known := topics[parts[0]]
	if err1 != nil || err2 != nil || err3 != nil || !known || number < 0 {
		return s, fmt.Errorf("its ce_id %q names no command topic's record", id)
	}
	s.spot, s.number = spot{c.partitionOf(topicPartition{topic, int32(partition)}), offset}, int32(number)
	return s, nil
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
