package checker

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// letter is all that is known of a command's dead letter.
type letter struct {
	entry     int32
	records   []int32 // its first appearance, then those with other bytes
	reasons   []string
	rows      []*LetterRow
	outbox    int // rows of the outbox
	decisions []string

	// What follows from that:
	reason  string   // why it was refused at its place; empty: it was not
	absent  bool     // it took no effect: it waits for an operator, or was discarded
	again   bool     // an operator sent the refused command again, and it was not refused
	further []string // why it was refused again
}

// The states of a dead letter, and the reason of one that holds its product.
const (
	stateOpen, stateReleased, stateRetried, stateDiscarded = "open", "released", "retried", "discarded"
	reasonInternal                                         = "internal"
)

func (l *letter) state() string {
	if len(l.rows) == 0 {
		return ""
	}
	return l.rows[len(l.rows)-1].State
}

func (l *letter) retries() (n int) {
	for _, row := range l.rows {
		n += row.Retries
	}
	if l.state() == stateRetried || len(l.rows) > 1 {
		n = max(n, 1)
	}
	return n
}

// internal tells whether it ever held its product.
func (l *letter) internal() bool { return slices.Contains(l.reasons, reasonInternal) }

// conclude tells what became of the command.
func (l *letter) conclude() {
	rest := slices.DeleteFunc(slices.Clone(l.reasons), func(reason string) bool { return reason == reasonInternal })
	if l.reasons[0] == reasonInternal && len(rest) == 0 {
		l.absent = l.state() != stateRetried
		return
	}
	if len(rest) > 0 {
		l.reason, l.further = rest[0], rest[1:]
	}
	l.again = l.state() == stateRetried
}

// wrongLetter says what is wrong with a dead letter.
func (c *check) wrongLetter(command, r *Record) string {
	own, key := command.Headers, command.Key
	if size := r.header("dlq-headers-bytes"); size != nil && len(r.header("dlq-value-bytes")) > 0 { // too large even without its value
		n := 0
		for _, h := range own {
			n += len(h.Key) + len(h.Value)
		}
		if string(size) != strconv.Itoa(n) || string(r.header("dlq-key-bytes")) != strconv.Itoa(len(key)) {
			return "its dlq-key-bytes or dlq-headers-bytes is wrong"
		}
		own, key = nil, nil
	}
	if size := ownHeader(r, len(own), "dlq-value-bytes"); size != nil {
		if r.Value != nil || string(size) != strconv.Itoa(len(command.Value)) {
			return fmt.Sprintf("its dlq-value-bytes is %q, the command has %d, the letter itself %d", size, len(command.Value), len(r.Value))
		}
	} else if !sameBytes(command.Value, r.Value) {
		return "its value is another"
	}
	switch {
	case !sameBytes(key, r.Key):
		return "its key is another"
	case len(r.Headers) < len(own) || !sameHeaders(own, r.Headers[:len(own)]):
		return "its headers are others"
	case len(r.header("dlq-message")) == 0:
		return "it has no dlq-message"
	case string(r.header("dlq-consumer-group")) != c.history.Group:
		return fmt.Sprintf("its dlq-consumer-group is %q", r.header("dlq-consumer-group"))
	case string(r.header("dlq-original-timestamp")) != strconv.FormatInt(command.Time, 10) && command.Time >= 0:
		return fmt.Sprintf("its dlq-original-timestamp is %q, not %d", r.header("dlq-original-timestamp"), command.Time)
	}
	return ""
}

// ownHeader is a header that the service added after those of the command.
func ownHeader(r *Record, own int, key string) []byte {
	added := Record{Headers: r.Headers[min(own, len(r.Headers)):]}
	return added.header(key)
}

// sameBytes tells nothing from empty.
func sameBytes(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func sameHeaders(a, b []Header) bool {
	return slices.EqualFunc(a, b, func(x, y Header) bool { return x.Key == y.Key && sameBytes(x.Value, y.Value) })
}

func describe(r *Record) string {
	text := fmt.Sprintf("%s key %q value %s", placeOf(r), r.Key, shorten(r.Value))
	for _, h := range r.Headers {
		text += fmt.Sprintf(" %s=%s", h.Key, shorten(h.Value))
	}
	return text
}

func shorten(value []byte) string {
	const enough = 300
	if len(value) > enough {
		return fmt.Sprintf("%q… (%d bytes)", value[:enough], len(value))
	}
	return string(value)
}
