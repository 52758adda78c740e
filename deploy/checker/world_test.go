package checker

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// world is a service in miniature that leaves a history: it decides by the checker's own model, so
// what it shows is how the checker judges what the recorded run of the real service has not.
// Actions are remembered, so that a database can be thrown back to an earlier one.
type world struct {
	history    *History
	partitions map[topicPartition][]Packed
	actions    []func(*worldBase)
	base       *worldBase
	events     int64
	letters    int64
}

// worldBase is the database of a world.
type worldBase struct {
	world   *world
	silent  bool // nothing is published: it is being restored
	model   *Model
	next    map[topicPartition]int64
	rows    map[topicPartition]int64
	tables  Tables
	letters map[place][]*LetterRow
	held    map[string]place
}

const (
	worldCommands, worldEvents, worldLetters = "commands", "events", "letters"
	worldGroup                               = "group"
)

func newWorld(partitions int32) *world {
	w := &world{partitions: map[topicPartition][]Packed{}}
	w.history = &History{Group: worldGroup, Source: "/allocation", Kinds: map[string]string{worldCommands: "", "quantities": "ChangeBatchQuantity"},
		TopicIDs: map[string]string{worldCommands: "AAAAAAAAAAAAAAAAAAAAAA", "quantities": "BBBBBBBBBBBBBBBBBBBBBB"}}
	for p := range partitions {
		w.partitions[topicPartition{worldCommands, p}] = nil
	}
	w.partitions[topicPartition{"quantities", 0}] = nil
	w.base = w.newBase()
	return w
}

func (w *world) newBase() *worldBase {
	return &worldBase{world: w, model: NewModel(), next: map[topicPartition]int64{}, rows: map[topicPartition]int64{},
		letters: map[place][]*LetterRow{}, held: map[string]place{}}
}

// send puts a command into a partition, and does not apply it. The kind may be empty, where the
// topic is mapped.
func (w *world) send(partition int32, kind, data string) place {
	l := topicPartition{worldCommands, partition}
	r := Record{Key: []byte("key"), Value: []byte(data), Time: 1_700_000_000_000}
	if kind == "" {
		l = topicPartition{"quantities", 0}
	} else {
		r.Headers = []Header{{"ce_type", []byte(typePrefix + kind)}}
	}
	if kind == "Allocate" { // some without a key
		r.Key = nil
	}
	return w.put(l, r)
}

func (w *world) put(l topicPartition, r Record) place {
	r.Topic, r.Partition, r.Offset = l.topic, l.partition, int64(len(w.partitions[l]))
	w.partitions[l] = append(w.partitions[l], pack(&r))
	return placeOf(&r)
}

// do sends a command and applies all that is waiting in its partition.
func (w *world) do(partition int32, kind, data string) place {
	at := w.send(partition, kind, data)
	w.apply(topicPartition{at.topic, at.partition})
	return at
}

func (w *world) act(action func(*worldBase)) {
	w.actions = append(w.actions, action)
	action(w.base)
}

// apply applies all that waits in a partition.
func (w *world) apply(l topicPartition) {
	for w.base.next[l] < int64(len(w.partitions[l])) {
		w.act(func(b *worldBase) { b.consume(l) })
	}
}

// retry is what an operator does, and the worker after that.
func (w *world) retry(at place) {
	w.decide(at, stateRetried)
	w.act(func(b *worldBase) { b.retry(at) })
}

func (w *world) discard(at place) {
	w.decide(at, stateDiscarded)
	w.act(func(b *worldBase) {
		b.last(at).State = stateDiscarded
		b.row(b.decode(at), 0, decisionType+stateDiscarded, 1)
		b.free(at)
	})
}

func (w *world) decide(at place, word string) {
	headers := append(originalHeaders(at), Header{"dlq-decision", []byte(word)})
	w.publishLetter(Record{Key: w.record(at).Key, Headers: headers})
}

func originalHeaders(at place) []Header {
	return []Header{{"dlq-original-topic", []byte(at.topic)}, {"dlq-original-partition", fmt.Append(nil, at.partition)}, {"dlq-original-offset", fmt.Append(nil, at.offset)}}
}

// failOver loses the last actions of the database.
func (w *world) failOver(lost int) {
	w.actions = w.actions[:len(w.actions)-lost]
	w.base = w.newBase()
	w.base.silent = true
	for _, action := range w.actions {
		action(w.base)
	}
	w.base.silent = false
	w.history.TimelineChanges++
}

func (w *world) record(at place) Record {
	return w.partitions[topicPartition{at.topic, at.partition}][at.offset].Record()
}

func (w *world) publishLetter(r Record) {
	r.Topic, r.Offset = worldLetters, w.letters
	w.letters++
	w.history.Letters = append(w.history.Letters, pack(&r))
}

// consume takes the next record of a partition: it is decided, or waits behind a held product.
func (b *worldBase) consume(l topicPartition) {
	at := place{l.topic, l.partition, b.next[l]}
	b.next[l]++
	o := b.decode(at)
	sku := b.model.product(o).sku
	switch {
	case o.refusal == "" && b.held[sku] != place{}:
		b.tables.HeldCommands = append(b.tables.HeldCommands, HeldCommandRow{Seq: int64(len(b.tables.HeldCommands)), Key: sku,
			CommandSource: b.source(l), Offset: at.offset, Value: o.value})
	case strings.Contains(string(o.value), "poison"):
		b.refuse(o, reasonInternal)
		b.held[sku] = at
	default:
		b.decide(o, 0)
	}
}

func (b *worldBase) decode(at place) *command {
	r := b.world.record(at)
	return decode(&r, b.world.history.Kinds[at.topic])
}

// decide decides a command, and numbers its events from some number.
func (b *worldBase) decide(o *command, number int32) {
	reason, events := b.model.decide(o)
	if reason != "" {
		b.refuse(o, reason)
	}
	for i, e := range events {
		b.emit(o, number+int32(i), e)
	}
}

func (b *worldBase) source(l topicPartition) int32 {
	if l.topic == worldCommands {
		return l.partition + 1
	}
	return 100
}

func (b *worldBase) row(o *command, number int32, kind string, sum uint64) {
	l := topicPartition{o.at.topic, o.at.partition}
	b.tables.Outbox = append(b.tables.Outbox, OutboxRow{Source: b.source(l), Row: b.rows[l], Offset: o.at.offset, Event: number, Type: kind, CommandSource: b.source(l), Sum: sum})
	b.rows[l]++
}

func (b *worldBase) emit(o *command, number int32, e expected) {
	c := &check{history: b.world.history}
	id := fmt.Sprintf("%s.%d.%d.%d", c.history.TopicIDs[o.at.topic], o.at.partition, o.at.offset, number)
	r := Record{Key: []byte(e.data.sku), Value: []byte(e.data.json())}
	for _, h := range [][2]string{{"content-type", "application/json"}, {"ce_specversion", "1.0"}, {"ce_type", typePrefix + e.kind}, {"ce_source", c.history.Source},
		{"ce_id", id}, {"ce_time", timeOf(o.time)}, {"ce_subject", e.subject}, {"ce_partitionkey", e.data.sku}, {"ce_sequence", sequenceOf(e.sequence)},
		{"ce_correlationid", o.correlation()}, {"ce_causationid", o.causation()}} {
		if h[1] != "" {
			r.Headers = append(r.Headers, Header{h[0], []byte(h[1])})
		}
	}
	b.row(o, number, e.kind, sumOf(e.kind, e.data.sku, e.sequence, r.Value))
	if b.silent {
		return
	}
	r.Topic, r.Offset = worldEvents, b.world.events
	b.world.events++
	c.history.Events = append(c.history.Events, pack(&r))
}

// refuse makes a dead letter.
func (b *worldBase) refuse(o *command, reason string) { b.letter(o, b.world.record(o.at), reason) }

// letter makes a dead letter that holds a record, with more headers.
func (b *worldBase) letter(o *command, r Record, reason string, more ...Header) {
	l := topicPartition{o.at.topic, o.at.partition}
	b.letters[o.at] = append(b.letters[o.at], &LetterRow{Source: b.source(l), Row: b.rows[l], Offset: o.at.offset, Reason: reason, Key: r.Key, Value: r.Value,
		CommandSource: b.source(l), State: stateOpen, Retries: len(b.letters[o.at])})
	b.row(o, 0, "", 1)
	if b.silent {
		return
	}
	r.Headers = append(append(r.Headers, Header{"dlq-reason", []byte(reason)}, Header{"dlq-message", []byte("because")}), originalHeaders(o.at)...)
	r.Headers = append(r.Headers, Header{"dlq-original-timestamp", fmt.Append(nil, o.time)}, Header{"dlq-consumer-group", []byte(worldGroup)})
	r.Headers = append(r.Headers, more...)
	b.world.publishLetter(r)
}

// last is the last dead letter of a command.
func (b *worldBase) last(at place) *LetterRow { return b.letters[at][len(b.letters[at])-1] }

// retry applies a dead letter, and what waited behind it.
func (b *worldBase) retry(at place) {
	o, letter := b.decode(at), b.last(at)
	number := int32(1 + letter.Retries)
	if letter.Reason == reasonInternal {
		number = 0
	}
	letter.State = stateRetried
	b.row(o, 0, decisionType+stateRetried, 1)
	b.decide(o, number)
	b.free(at)
}

func (b *worldBase) free(at place) {
	for sku, holder := range b.held {
		if holder != at {
			continue
		}
		delete(b.held, sku)
		waiting := b.tables.HeldCommands
		b.tables.HeldCommands = nil
		for _, row := range waiting {
			if row.Key != sku {
				b.tables.HeldCommands = append(b.tables.HeldCommands, row)
				continue
			}
			b.decide(b.decode(place{b.partitionOf(row.CommandSource).topic, b.partitionOf(row.CommandSource).partition, row.Offset}), 0)
		}
	}
}

func (b *worldBase) partitionOf(source int32) topicPartition {
	if source == 100 {
		return topicPartition{"quantities", 0}
	}
	return topicPartition{worldCommands, source - 1}
}

// end is the history that the world leaves.
func (w *world) end() *History {
	h, b := w.history, w.base
	h.Commands, h.Partitions, h.Tables = nil, nil, b.tables
	partitions := slices.SortedFunc(maps.Keys(w.partitions), func(a, b topicPartition) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	for _, l := range partitions {
		records := w.partitions[l]
		h.Commands = append(h.Commands, records...)
		n := int64(len(records))
		h.Partitions = append(h.Partitions, Partition{Topic: l.topic, Partition: l.partition, End: n, Committed: n})
		h.Tables.Positions = append(h.Tables.Positions, PositionRow{Source: b.source(l), Topic: l.topic, TopicID: h.TopicIDs[l.topic], Partition: l.partition,
			NextOffset: b.next[l], NextRow: b.rows[l], PublishedRow: b.rows[l]})
	}
	for _, letters := range b.letters {
		for _, letter := range letters {
			h.Tables.Letters = append(h.Tables.Letters, *letter)
		}
	}
	for sku, at := range b.held {
		h.Tables.HeldKeys = append(h.Tables.HeldKeys, HeldKeyRow{sku, b.last(at).Source, b.last(at).Row})
	}
	for _, p := range b.model.products {
		rows := p.rows()
		h.Tables.Products = append(h.Tables.Products, rows.Products...)
		h.Tables.Batches = append(h.Tables.Batches, rows.Batches...)
		h.Tables.Lines = append(h.Tables.Lines, rows.Lines...)
	}
	return h
}

// passOver sends a command whose partition goes on, though nothing is done with it.
func (w *world) passOver(partition int32, kind, data string) place {
	at := w.send(partition, kind, data)
	w.base.next[topicPartition{at.topic, at.partition}]++
	return at
}

// refuse passes over an Allocate, of which it makes the dead letter and the event.
func (w *world) refuse(partition int32, data, reason string) {
	o := w.base.decode(w.passOver(partition, "Allocate", data))
	w.base.refuse(o, reason)
	w.base.emit(o, 0, rejection(o, reason))
}

// decideNow has a command decided, whatever came of it before, with events from some number on.
func (w *world) decideNow(at place, number int32) {
	w.act(func(b *worldBase) { b.decide(b.decode(at), number) })
}
