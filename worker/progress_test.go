package worker

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Whatever keeps a lane back that has something to do, it is seen when there is no more patience,
// and not before; a lane that moves, or has nothing to do, is left alone.
func TestProgress_seesALaneThatStands(t *testing.T) {
	t.Parallel()
	const patience = 30 * time.Second
	records := []*kgo.Record{{Offset: 5}}
	for name, c := range map[string]struct {
		lane  lane
		moves func(l *lane, second int) (published int64)
		says  string
		after time.Duration
	}{
		"a seek that nobody makes":                    {lane: lane{state: seeking}, says: "it is claimed, and its fetches do not begin", after: patience},
		"a claim that nobody makes":                   {lane: lane{state: doubtful}, says: "it is to be claimed again, and is not", after: patience},
		"claims in vain":                              {lane: lane{state: doubtful, progress: progress{unclaimed: errors.New("gone")}}, says: "it is claimed again and again, in vain: gone", after: patience},
		"a drain that stands":                         {lane: lane{state: draining, nextRow: 7}, says: "7 events of before its claim are to be published first, and none of them is", after: patience},
		"a drain that is long":                        {lane: lane{state: draining, nextRow: 700}, moves: func(_ *lane, second int) int64 { return int64(second) }},
		"records that their applier leaves out":       {lane: lane{state: running, next: 5, queue: records}, says: "records wait from offset 5 on, and none of them is applied", after: patience},
		"records that are applied":                    {lane: lane{state: running, queue: records}, moves: func(l *lane, second int) int64 { l.next = int64(second); return 0 }},
		"nothing to do":                               {lane: lane{state: running, next: 5, logEnd: logEnd{stable: 5}}},
		"a lock, of which something else tells":       {lane: lane{state: running, queue: records, lock: &locked{}}},
		"a quarantine, of which something else tells": {lane: lane{state: quarantined, logEnd: logEnd{stable: 5}}},
		"claims that are lost again and again": {
			lane: lane{state: running, next: 5, logEnd: logEnd{stable: 9}},
			moves: func(l *lane, second int) int64 {
				l.state = []laneState{running, doubtful, seeking}[second%3]
				l.startFetching(time.Now())
				return 0
			},
			says: "in vain|is not|do not begin|records wait", after: patience,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			l := &c.lane
			l.applier = &applier{movedAt: began.Add(time.Hour), lanes: []*lane{l}}
			seen := map[bool]string{}
			for second := range 120 {
				now := began.Add(time.Duration(second) * time.Second)
				published := int64(0)
				if c.moves != nil {
					published = c.moves(l, second)
				}
				l.look(published, now)
				if says := l.whyNothingIsApplied(now, patience); says != "" {
					seen[now.Sub(began) > c.after] = says
				}
			}
			require.NotContains(t, seen, false, "too early")
			require.Equal(t, c.says != "", seen[true] != "", seen[true])
			require.Regexp(t, "^(.*("+c.says+"))$", seen[true])
		})
	}
}

// Events that wait for long are noted, where those of other partitions are published: something
// else says when none is.
func TestProgress_seesEventsThatWait(t *testing.T) {
	t.Parallel()
	const patience = 30 * time.Second
	began := time.Now()
	l := &lane{state: running, nextRow: 7}
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	for second := range 60 {
		l.look(2, at(second))
		require.Empty(t, l.whyNothingIsPublished(at(second), patience))
	}
	l.look(2, at(61))
	require.Equal(t, "5 events wait to be published since "+began.UTC().Format(time.RFC3339)+", and none of them is", l.whyNothingIsPublished(at(61), patience))
	l.look(3, at(62))
	require.Empty(t, l.whyNothingIsPublished(at(62), patience), "one is")
	l.look(7, at(63))
	l.look(7, at(200))
	require.Empty(t, l.whyNothingIsPublished(at(200), patience), "all are")
}
