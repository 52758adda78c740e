package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A thawed worker must not fence the owner that its partitions have meanwhile: it hears from the
// group first.
func TestWorker_claimsOnlyWhatTheGroupLeftIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		group, beat, fenced time.Duration // ago; 0: never
		may                 bool
	}{
		"a member whose transaction has an unknown outcome":        {group: time.Second, may: true},
		"a worker that the group has not heard for a while":        {group: 6 * time.Second},
		"an answer just now, which may say that it is no member":   {group: time.Millisecond},
		"a fenced member, before its next heartbeat":               {group: time.Second, beat: time.Second, fenced: 500 * time.Millisecond},
		"a fenced member, after its next heartbeat":                {group: time.Second, beat: time.Second, fenced: 2 * time.Second, may: true},
		"a fenced member, right after its next heartbeat":          {group: time.Millisecond, beat: time.Millisecond, fenced: 2 * time.Second},
		"a fenced worker that was thawed, with an older heartbeat": {group: 9 * time.Second, beat: 9 * time.Second, fenced: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now() // here, because parallel tests wait for each other
			w := &Worker{cfg: Config{SessionTimeout: 10 * time.Second}}
			w.kafka.group.set(now.Add(-c.group))
			if c.beat > 0 {
				w.kafka.beat.set(now.Add(-c.beat))
			}
			p := &partition{state: reclaiming}
			if c.fenced > 0 {
				p.reclaim.fencedAt = now.Add(-c.fenced)
			}
			require.Equal(t, c.may, w.mayClaim(p))
		})
	}
}
