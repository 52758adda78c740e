package checker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// event is the first appearance of an event.
type event struct {
	record   *Record
	id       string
	command  place
	number   int
	kind     string
	sequence int64 // 0: none
}

// readEvents tells first appearances from repeats, and finds the command of each.
func (c *check) readEvents() {
	for i := range c.history.Events {
		r := &c.history.Events[i]
		id := string(r.header("ce_id"))
		if first := c.firsts[id]; first != nil {
			c.checkRepeat(id, first.record, r)
			if first.record.Partition != r.Partition {
				c.report(RuleRepeat, string(r.Key), nil, "%s was published in partition %d, and again in %d", id, first.record.Partition, r.Partition)
			}
			continue
		}
		e, err := c.readEvent(r, id)
		if err != nil {
			c.report(RulePhantom, string(r.Key), nil, "the event at %s, ce_id %q, %s: %v", placeOf(r), id, r.Value, err)
			continue
		}
		c.firsts[id] = e
		o := c.outcomes[e.command]
		o.events = append(o.events, e)
	}
	for _, o := range c.outcomes {
		slices.SortFunc(o.events, func(a, b *event) int { return a.number - b.number })
	}
}

func (c *check) readEvent(r *Record, id string) (*event, error) {
	parts := strings.Split(id, ".")
	if len(parts) != 4 {
		return nil, fmt.Errorf("its ce_id is not <topic id>.<partition>.<offset>.<number>")
	}
	e := &event{record: r, id: id, kind: strings.TrimPrefix(string(r.header("ce_type")), typePrefix)}
	partition, err1 := strconv.ParseInt(parts[1], 10, 32)
	offset, err2 := strconv.ParseInt(parts[2], 10, 64)
	number, err3 := strconv.Atoi(parts[3])
	e.command, e.number = place{c.topicOf(parts[0]), int32(partition), offset}, number
	if err1 != nil || err2 != nil || err3 != nil || c.outcomes[e.command] == nil {
		return nil, fmt.Errorf("no command stands at %s", e.command)
	}
	if text := r.header("ce_sequence"); text != nil {
		e.sequence, err1 = strconv.ParseInt(string(text), 10, 64)
		if err1 != nil || e.sequence < 1 || len(text) != 19 {
			return nil, fmt.Errorf("its ce_sequence is %q", text)
		}
	}
	return e, nil
}

func (c *check) topicOf(id string) string {
	for topic, is := range c.history.TopicIDs {
		if is == id {
			return topic
		}
	}
	return "?"
}

func (c *check) checkRepeat(id string, first, again *Record) {
	if !sameBytes(first.Key, again.Key) || !sameBytes(first.Value, again.Value) || !sameHeaders(first.Headers, again.Headers) {
		c.report(RuleRepeat, string(first.Key), []string{describe(first), describe(again)}, "%s was published as %s, and with other bytes as %s", id, placeOf(first), placeOf(again))
	}
}

func describe(r *Record) string {
	text := fmt.Sprintf("%s key %q value %s", placeOf(r), r.Key, r.Value)
	for _, h := range r.Headers {
		text += fmt.Sprintf(" %s=%s", h.Key, h.Value)
	}
	return text
}

func sameHeaders(a, b []Header) bool {
	return slices.EqualFunc(a, b, func(x, y Header) bool {
		return x.Key == y.Key && bytes.Equal(x.Value, y.Value) && (x.Value == nil) == (y.Value == nil)
	})
}

// checkOrder wants the first appearances of each product's events in sequence, in one partition of the topic.
func (c *check) checkOrder() {
	partitions := map[string]int32{}
	for i := range c.history.Events {
		r := &c.history.Events[i]
		e := c.firsts[string(r.header("ce_id"))]
		if e == nil || e.record != r || e.sequence == 0 {
			continue
		}
		sku := string(r.Key)
		seen := int64(len(c.bySKU[sku]))
		if p, ok := partitions[sku]; ok && p != r.Partition {
			c.report(RuleOrder, sku, nil, "%s is in another partition than the events before it: %d, not %d", e.id, r.Partition, p)
		}
		partitions[sku] = r.Partition
		c.bySKU[sku] = append(c.bySKU[sku], e)
		if e.sequence != seen+1 {
			c.report(RuleOrder, sku, c.stretch(sku, seen+1), "sequence %d comes first at %s, where %d had to come", e.sequence, placeOf(r), seen+1)
		}
	}
	for sku := range c.bySKU {
		slices.SortStableFunc(c.bySKU[sku], func(a, b *event) int { return int(a.sequence - b.sequence) })
	}
}

// differs says in what an event is not what it must be; empty where it is.
func (c *check) differs(e *event, o *command, want expected) string {
	switch {
	case e.kind != want.kind:
		return fmt.Sprintf("it is a %s", e.kind)
	case e.sequence != want.sequence:
		return fmt.Sprintf("its sequence is %d", e.sequence)
	case string(e.record.Key) != want.data["sku"]:
		return fmt.Sprintf("its key is %q", e.record.Key)
	case !sameData(e.record.Value, want.data):
		return fmt.Sprintf("its data is %s", e.record.Value)
	}
	return c.differsInHeaders(e, o, want)
}

func (c *check) differsInHeaders(e *event, o *command, want expected) string {
	headers := map[string]string{
		"content-type": "application/json", "ce_specversion": "1.0", "ce_type": typePrefix + want.kind, "ce_source": c.history.Source, "ce_id": e.id,
		"ce_subject": want.subject, "ce_partitionkey": string(e.record.Key),
		"ce_correlationid": o.correlation(), "ce_causationid": o.causation(),
	}
	if o.record.Time >= 0 {
		headers["ce_time"] = time.UnixMilli(o.record.Time).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	if want.sequence > 0 {
		headers["ce_sequence"] = fmt.Sprintf("%019d", want.sequence)
	}
	for _, h := range o.traces {
		headers[h.Key] = string(h.Value)
	}
	for _, h := range e.record.Headers {
		if value, ok := headers[h.Key]; !ok || value != string(h.Value) {
			return fmt.Sprintf("its header %s is %q, not %q", h.Key, h.Value, value)
		}
		delete(headers, h.Key)
	}
	for key := range headers {
		return fmt.Sprintf("it has no header %s", key)
	}
	return ""
}

func sameData(value []byte, want map[string]any) bool {
	members, ok := object(value)
	if !ok || len(members) != len(want) {
		return false
	}
	for name, expected := range want {
		text, err := json.Marshal(expected)
		if number, isNumber := expected.(int64); isNumber {
			text = strconv.AppendInt(nil, number, 10)
		}
		var got string
		switch s, isText := expected.(string); {
		case err != nil:
			return false
		case isText && (json.Unmarshal(members[name], &got) != nil || got != s):
			return false
		case !isText && !bytes.Equal(members[name], text):
			return false
		}
	}
	return true
}
