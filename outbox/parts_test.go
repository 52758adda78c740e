package outbox

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/outbox/pulse"
)

// Two loops of the relay say when they stand still: the one that asks the table what others
// published, and the one that looks at acknowledgements.
func TestRelay_saysWhichOfItsPartsStandStill(t *testing.T) {
	s := newStage(t)
	parts := &pulse.Parts{Patience: time.Second}
	r := s.relay(func(o *Options) { o.Parts = parts })
	s.open(r, 2, 0)
	s.table.commit(1, event("BatchCreated", "CHAIR", "first"))
	s.table.fail(errors.New("no answer"))
	standing := func() string { return strings.Join(parts.Standing(time.Now()), "\n") }
	await := func(says string) {
		t.Helper()
		s.await(func() bool { return strings.Contains(standing(), says) })
	}
	require.Empty(t, standing(), "nothing waits")
	r.Publish(2, s.table.commit(2, event("BatchCreated", "CHAIR", "second")))
	await("published rows of others: stands still for 1s: no answer")
	require.NotContains(t, standing(), "acknowledgements")
	s.table.fail(nil)
	s.owner(1)
	s.flush(r)
	s.await(func() bool { return standing() == "" })
	s.ends[r]()
	await("acknowledgements: stands still for ")
}
