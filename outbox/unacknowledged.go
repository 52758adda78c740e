package outbox

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// unacknowledgedError says that records wait for their acknowledgement, of which the client tells
// no reason: it tries on for ever.
type unacknowledgedError struct {
	records int64
	since   time.Duration // at least
	others  bool          // records that came after them are acknowledged
	lacking string        // which partitions have not all of their replicas in sync
}

// unacknowledged is nil unless records wait for longer than there is patience.
func unacknowledged(records int64, since, patience time.Duration, others bool) *unacknowledgedError {
	if records <= 0 || since < patience {
		return nil
	}
	return &unacknowledgedError{records: records, since: since, others: others}
}

func (e *unacknowledgedError) Error() string {
	text := fmt.Sprintf("nothing acknowledged for %s", e.since.Truncate(time.Second))
	if e.others {
		text = fmt.Sprintf("%d records not acknowledged for %s, while others are", e.records, e.since.Truncate(time.Second))
	}
	if e.lacking != "" {
		text += "; " + e.lacking
	}
	return text
}

// whyUnacknowledged is what changes little while such an error lasts; empty for any other.
func whyUnacknowledged(err error) string {
	var e *unacknowledgedError
	if !errors.As(err, &e) {
		return ""
	}
	return e.lacking
}

// maxLacking is how many partitions are named.
const maxLacking = 3

// lackingReplicas says which partitions have not all of their replicas in sync: the usual reason
// not to acknowledge.
func lackingReplicas(partitions []kmsg.MetadataResponseTopicPartition) string {
	var lacking []string
	for _, p := range partitions {
		if len(p.ISR) < len(p.Replicas) {
			lacking = append(lacking, fmt.Sprintf("partition %d has %d of %d replicas in sync", p.Partition, len(p.ISR), len(p.Replicas)))
		}
	}
	if more := len(lacking) - maxLacking; more > 0 {
		lacking = append(lacking[:maxLacking], fmt.Sprintf("%d more lack replicas", more))
	}
	return strings.Join(lacking, ", ")
}
