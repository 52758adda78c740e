package bench

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// idPrefix stands before a command's number in its ce_id, and so in the ce_causationid of its
// events.
const idPrefix = "bench-"

// book keeps what must follow from each command, and what did. One goroutine may expect while
// another takes.
type book struct {
	mu       sync.Mutex
	entries  []entry
	expected int              // events
	taken    int              // events, without repeats
	repeated int              // events that came again, as they may
	sent     int              // commands
	warm     int              // of them, due after the warm-up
	repeats  int              // of them, those that repeat another
	lines    Lines            // when all has taken effect
	sequence map[string]int64 // the last of each product
	first    time.Time        // of the events' timestamps
	last     time.Time
}

// entry is a command.
type entry struct {
	events    int32         // that must follow
	came      int32         // of them
	partition int32         // of the command topic
	command   string        // its type
	due       time.Duration // when it was due, since the load began
	first     time.Duration // when its first event was read, since the load began
	took      time.Duration // from when it was due until its last event was read
}

func newBook() *book { return &book{sequence: map[string]int64{}} }

// stock notes a command of what is there from the start. Its events are not read.
func (b *book) stock(c message) {
	b.sequence[c.SKU] += int64(c.Events)
	b.lines = b.lines.plus(c.Change)
}

// expect notes a command that is sent, and gives it its number.
func (b *book) expect(c message, due time.Duration) message {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected += c.Events
	b.lines = b.lines.plus(c.Change)
	b.sent++
	if due >= warmUp {
		b.warm++
	}
	c.Number = len(b.entries)
	if c.Repeat {
		c.Number--
		b.repeats++
		return c
	}
	b.entries = append(b.entries, entry{events: int32(c.Events), command: c.Type, due: due})
	return c
}

// placed notes the partition that a command, or a repeat of it, was sent to.
func (b *book) placed(number int, partition int32) {
	if number < 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries[number].partition = partition
}

// complete reports whether all events came that must follow from what was sent so far.
func (b *book) complete() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken == b.expected
}

// done reports whether all events of a command came.
func (b *book) done(number int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entries[number].came == b.entries[number].events
}

// take notes an event that was read at a time since the load began. Its error says that the events
// cannot be those of the commands.
func (b *book) take(r *kgo.Record, at time.Duration) error {
	sequence, cause := headersOf(r)
	sku := string(r.Key)
	b.mu.Lock()
	defer b.mu.Unlock()
	digits, ours := strings.CutPrefix(cause, idPrefix)
	number, err := strconv.Atoi(digits)
	last := b.sequence[sku]
	switch {
	case !ours, err != nil, number >= len(b.entries):
		return fmt.Errorf("an event of %q follows from %q, which is no command of this bench: somebody else sends commands, too", sku, cause)
	case sequence == 0:
		return fmt.Errorf("the command %s of %q was rejected", cause, sku)
	case sequence <= last:
		b.repeated++
		return nil
	case sequence != last+1, number < 0:
		return fmt.Errorf("of %q the event %d comes after the event %d", sku, sequence, last)
	}
	b.sequence[sku] = sequence
	if b.first.IsZero() || r.Timestamp.Before(b.first) {
		b.first = r.Timestamp
	}
	if r.Timestamp.After(b.last) {
		b.last = r.Timestamp
	}
	return b.tick(number, at)
}

// tick notes one more event of a command.
func (b *book) tick(number int, at time.Duration) error {
	e := &b.entries[number]
	b.taken++
	if e.came++; e.came > e.events {
		return fmt.Errorf("more than the %d events that were expected follow from the %s %s%d", e.events, e.command, idPrefix, number)
	}
	if e.came == 1 {
		e.first = at
	}
	if e.came == e.events {
		e.took = at - e.due
	}
	return nil
}

// headersOf are what tells which event it is.
func headersOf(r *kgo.Record) (sequence int64, cause string) {
	for i := range r.Headers {
		switch h := &r.Headers[i]; h.Key {
		case "ce_sequence":
			sequence, _ = strconv.ParseInt(string(h.Value), 10, 64)
		case "ce_causationid":
			cause = string(h.Value)
		}
	}
	return sequence, cause
}

// missing names the first command without all its events.
func (b *book) missing() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for number, e := range b.entries {
		if e.came < e.events {
			return fmt.Errorf("%d of %d events are missing; the first command without all of its events is the %s %s%d",
				b.expected-b.taken, b.expected, e.command, idPrefix, number)
		}
	}
	return nil
}
