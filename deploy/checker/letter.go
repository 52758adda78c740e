package checker

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// letter is all that is known of a command's dead letters: the first one, and the later ones of its
// retries.
type letter struct {
	entry     int32
	records   []int32 // first appearances, each with other bytes
	published []string
	rows      []*LetterRow // in order
	outbox    int          // rows of the outbox that publish a letter
	decided   []string     // those that publish a decision
	decisions []string     // as published

	// What follows from that:
	reason  string   // why it was refused at its place; empty: it was not
	absent  bool     // it took no effect: it waits for an operator, or was discarded
	further []string // why it was refused when it was applied again
	done    int      // how often it was applied again without being refused or failing
}

// The states of a dead letter, and the reasons of one that holds its product.
const (
	stateOpen, stateRetried, stateDiscarded = "open", "retried", "discarded"
	reasonInternal                          = "internal"
	reasonNewer                             = "newer_version" // it waits for a newer worker
	decisionType                            = "dlq-"          // begins the type of an outbox row
)

// state is that of the last letter; empty where it is not known.
func (l *letter) state() string {
	if len(l.rows) == 0 {
		return ""
	}
	return l.rows[len(l.rows)-1].State
}

// reasons are those of the letters, in order.
func (l *letter) reasons() (reasons []string) {
	for _, row := range l.rows {
		reasons = append(reasons, row.Reason)
	}
	if len(reasons) == 0 {
		return l.published
	}
	return reasons
}

// retries is how often an operator had it applied again.
func (l *letter) retries() (n int) {
	states := 0
	for _, row := range l.rows {
		if row.State == stateRetried {
			states++
		}
	}
	for _, decision := range l.decided {
		if decision == stateRetried {
			n++
		}
	}
	return max(n, states)
}

// held reports whether it ever held its product.
func (l *letter) held() bool { return slices.ContainsFunc(l.reasons(), holds) }

func holds(reason string) bool { return reason == reasonInternal || reason == reasonNewer }

// conclude tells what became of the command.
func (l *letter) conclude() {
	reasons := l.reasons()
	l.done = l.retries() - (len(reasons) - 1)
	for _, reason := range reasons {
		switch {
		case holds(reason):
		case l.reason == "":
			l.reason = reason
		default:
			l.further = append(l.further, reason)
		}
	}
	l.absent = l.reason == "" && l.done < 1
}

// wrongLetter says what is wrong with a dead letter.
func (c *check) wrongLetter(command, r *Record) string {
	own, key := command.Headers, command.Key
	if key == nil && r.header("dlq-key-made-up") != nil { // for a topic that takes no record without one
		key = fmt.Appendf(nil, "%s.%s.%s", r.header("dlq-original-topic"), r.header("dlq-original-partition"), r.header("dlq-original-offset"))
	}
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
