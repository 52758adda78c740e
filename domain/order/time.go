package order

import (
	"fmt"
	"time"
)

// The times that count are from FirstTime on, and before EndOfTime. What reads and writes them has
// limits far outside.
var (
	FirstTime = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	EndOfTime = time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// counts reports whether the record has a time that counts.
func (x *decider) counts() bool { return !x.at.Before(FirstTime) && x.at.Before(EndOfTime) }

// timed refuses a command that goes by time, and whose record has none that counts.
func (x *decider) timed() bool {
	if x.counts() {
		return true
	}
	value := "missing, or before 1970"
	if !x.at.IsZero() {
		value = fmt.Sprintf("%d ms, which is %s", x.at.UnixMilli(), x.at.Format(time.DateOnly))
	}
	x.refuse(ReasonMalformed, "the record's timestamp is %s; it must be from %s on and before %s",
		value, FirstTime.Format(time.DateOnly), EndOfTime.Format(time.DateOnly))
	return false
}
