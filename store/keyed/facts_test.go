package keyed_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/store/keyed"
	"allocation/worker"
)

// watch follows sums, which are another service's, and has each that is above 9 taken down.
type watch struct{ Seen, Total int64 }

type seen struct {
	Key             string
	Total, Sequence int64
}

var watches = keyed.Rules[watch, seen]{
	Table: "watches", Entity: "watch",
	Read: func(name string, data []byte) (s seen, refusal *worker.Refusal) {
		if err := json.Unmarshal(data, &s); err != nil || name != "Forget" {
			return s, &worker.Refusal{Reason: "malformed", Message: "odd"}
		}
		return s, nil
	},
	Fact: func(from *worker.Command) (s seen, mine bool, refusal *worker.Refusal) {
		if err := json.Unmarshal(from.Data, &s); err != nil {
			return s, false, &worker.Refusal{Reason: "malformed", Message: err.Error()}
		}
		s.Sequence = from.Sequence
		return s, s.Key != "", nil
	},
	Key: func(s seen) string { return s.Key },
	Change: func(s seen, w *watch) (d keyed.Decision) {
		switch {
		case s.Sequence == 0 && w.Total == 0:
			return d
		case s.Sequence == 0:
			*w = watch{Seen: w.Seen}
			return keyed.Decision{Changed: true}
		case s.Sequence <= w.Seen:
			return keyed.Decision{Ignored: true}
		}
		*w = watch{s.Sequence, s.Total}
		d.Changed = true
		if s.Total > 9 {
			d.Events = []keyed.Event{
				{Type: "Exceeded", Data: w},
				{Type: "Add", Command: true, Subject: "down", RecordKey: "sum " + s.Key, Correlation: "watch", Data: add{s.Key, -s.Total}},
				{Type: "Noted", Data: w},
			}
		}
		return d
	},
}

// added is an event of another service.
func added(partition int, sequence int64, format string, args ...any) worker.Command {
	c := storetest.Command(partition, "Added", format, args...)
	c.Taken, c.Sequence = true, sequence
	return c
}

// A state also changes without events, by those of other services. Commands that it leads to have
// no sequence, and come in order with the events.
func TestKeyed_takesFactsAndSendsCommands(t *testing.T) {
	b := storetest.New(t, watches.Service("watches", "watches.v1.", &line), 1)
	applied := b.Do(added(0, 1, `{"key":"a","total":4}`), added(0, 1, `{"key":"a","total":4}`), added(0, 1, `{}`), added(0, 1, `no`), storetest.Command(0, "Forget", `{"key":"b"}`))
	require.Equal(t, []string{"no_effect", "ignored", "ignored", "refused", "no_effect"}, storetest.Results(applied), "what leads to nothing")
	require.Equal(t, 1, b.Count(`select changes from watches where key = 'a' and version = 0`))
	require.Equal(t, 1, b.Count(`select count(*) from watches`), "a state without a change is not kept")

	rows := b.Do(added(0, 2, `{"key":"a","total":10}`)).Rows[0]
	require.Equal(t, []string{`1 Exceeded {"Seen":2,"Total":10}`, `0 Add {"Key":"a","N":-10}`, `2 Noted {"Seen":2,"Total":10}`}, storetest.Says(rows))
	require.Equal(t, []string{"a", "down", "sum a", "watch"}, []string{rows[1].Key, rows[1].Subject, rows[1].RecordKey, rows[1].Cause.CorrelationID})
	require.Equal(t, []string{"a", "a", ""}, []string{rows[2].Key, rows[2].Subject, rows[2].RecordKey})
	require.Equal(t, []string{"no_effect"}, storetest.Results(b.Do(storetest.Command(0, "Forget", `{"key":"b"}`))))
	b.Do(storetest.Command(0, "Forget", `{"key":"a"}`))
	require.Equal(t, 3, b.Count(`select changes from watches where key = 'a' and version = 2 and state = '{"Seen":2,"Total":0}'`))
}

// A change without events is noticed, too.
func TestKeyed_conflictsWithAChangeWithoutEvents(t *testing.T) {
	b := storetest.New(t, watches.Service("watches", "watches.v1.", &line), 2)
	for sequence, key := range []string{"new", "new"} { // once it is made, then it is changed
		own := storetest.OnlyPartition(b.Transaction(added(0, int64(10+sequence), `{"key":%q,"total":1}`, key)), 0)
		slow := b.Interrupted(func() {
			other := storetest.OnlyPartition(b.Transaction(added(1, int64(2+sequence), `{"key":%q,"total":2}`, key)), 1)
			_, err := b.Apply(t.Context(), other)
			require.NoError(t, err)
			b.Offsets[1]++
		})
		_, err := slow.Apply(t.Context(), own)
		require.ErrorIs(t, err, worker.ErrConflict)
	}
	require.Equal(t, 2, b.Count(`select changes from watches`))
}
