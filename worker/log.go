package worker

import (
	"fmt"
	"math"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Position is how far a partition is applied.
type Position struct {
	TopicID     [16]byte
	Offset      int64
	LeaderEpoch int32 // of the last record applied; -1: not known
}

// Log is what Kafka says of a partition's log.
type Log struct {
	TopicID            [16]byte
	Start, Stable, End int64
	LeaderEpoch        int32 // of its leader; none where the broker does not tell

	leader int32

	// Shared is how far the log certainly holds what was applied, where that is less than the
	// position; else -1. See Answers.Compare.
	Shared int64
}

// noEpoch is above every epoch: brokers that tell none cannot be asked about them.
const noEpoch = math.MaxInt32

// Unusable says why a position cannot be used on this log; empty where it can.
func (l Log) Unusable(p Position) string {
	switch {
	case p.TopicID != l.TopicID:
		return fmt.Sprintf("the topic was deleted and made again: its id is %s, the position belongs to %s", kadm.TopicID(l.TopicID), kadm.TopicID(p.TopicID))
	case p.Offset == 0 && l.Start > 0:
		return fmt.Sprintf("nothing of the partition was applied, and its log does not start at its beginning but at %d: what was before is deleted", l.Start)
	case p.Offset < l.Start:
		return fmt.Sprintf("position %d is before the start of the log, %d: commands were deleted before they were applied", p.Offset, l.Start)
	case p.Offset > l.End:
		return fmt.Sprintf("position %d is beyond the end of the log, %d: the log lost records", p.Offset, l.End)
	case l.Shared >= 0:
		return fmt.Sprintf("the log was cut at %d or after, and grew again beyond position %d: it holds other records now than those that were applied", l.Shared, p.Offset)
	}
	return ""
}

// GoOn is the offset from which nothing of this log was applied, for a position that is unusable.
func (l Log) GoOn(p Position) int64 {
	switch {
	case p.TopicID != l.TopicID || p.Offset < l.Start:
		return l.Start
	case l.Shared >= 0:
		return l.Shared
	}
	return min(p.Offset, l.End)
}

// shared reads the answer to where an epoch ends. Where the log does not know the epoch of the last
// record applied, nobody can say how much of it is the same.
func shared(p Position, epoch int32, end, start int64) int64 {
	switch {
	case end < 0 || epoch < p.LeaderEpoch:
		return start
	case end < p.Offset:
		return max(start, end)
	}
	return -1
}
