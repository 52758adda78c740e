package checker

import (
	"bytes"
	"fmt"
	"strconv"
)

// letter is the first appearance of a dead letter.
type letter struct {
	record *Record
	reason string
}

// readLetters finds the command of each dead letter, and compares them byte for byte.
func (c *check) readLetters() {
	for i := range c.history.Letters {
		r := &c.history.Letters[i]
		o := c.outcomes[originalOf(r)]
		switch {
		case o == nil:
			c.report(RulePhantom, "", []string{describe(r)}, "the dead letter at %s belongs to no command: %s", placeOf(r), originalOf(r))
		case o.letter != nil:
			c.checkRepeat("dead letter of "+o.command.at.String(), o.letter.record, r)
		default:
			o.letter = &letter{record: r, reason: string(r.header("dlq-reason"))}
			if wrong := c.wrongLetter(o.command.record, r); wrong != "" {
				c.report(RuleLetter, "", []string{describe(o.command.record), describe(r)}, "the dead letter of %s at %s: %s", o.command.at, placeOf(r), wrong)
			}
		}
	}
}

func originalOf(r *Record) place {
	partition, err := strconv.ParseInt(string(r.header("dlq-original-partition")), 10, 32)
	offset, err2 := strconv.ParseInt(string(r.header("dlq-original-offset")), 10, 64)
	if err != nil || err2 != nil {
		return place{topic: "?"}
	}
	return place{string(r.header("dlq-original-topic")), int32(partition), offset}
}

// wrongLetter says what is wrong with a dead letter that was published whole.
func (c *check) wrongLetter(command, r *Record) string {
	own := len(command.Headers)
	switch {
	case !sameBytes(command.Key, r.Key):
		return "its key is another"
	case !sameBytes(command.Value, r.Value):
		return "its value is another"
	case len(r.Headers) < own || !sameHeaders(command.Headers, r.Headers[:own]):
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

// sameBytes tells nothing from empty.
func sameBytes(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }
