package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/store"
	"allocation/worker"
)

// triedAs are answers as text.
func triedAs(answers []store.Tried) (out []string) {
	for _, a := range answers {
		switch {
		case a.Refusal != nil:
			out = append(out, "refused "+a.Refusal.Reason)
		case a.Waits != nil:
			out = append(out, "waits behind "+a.Waits.Key)
		default:
			out = append(out, fmt.Sprintf("%d events", a.Events))
		}
		for _, e := range a.First {
			out = append(out, fmt.Sprintf("%d %s %s", e.Sequence, e.Type, e.Data))
		}
	}
	return out
}

func TestTry_saysWhatApplyWouldDo(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "a", "first", 5))
	commands := []worker.Command{
		add(0, "a", -7), addTo(0, "first", -5), create(0, "b", "first", 1), create(0, "a", "first", 5), refill(0, "a", "first", 3),
	}
	answers, err := b.Try(t.Context(), commands, 10)
	require.NoError(t, err)
	require.Equal(t, []string{
		`refused below_zero`, `0 Rejected {"key":"a","reason":"below_zero"}`,
		`1 events`, `2 Added {"key":"a","value":0}`,
		`refused name_taken`,
		`0 events`,
		`1 events`, `0 Restock {"key":"a","n":3}`,
	}, triedAs(answers))
	require.Equal(t, "refill of a", answers[4].First[0].Cause.CorrelationID)
	require.Equal(t, 1, b.Count(`select count(*) from outbox`))
	require.Equal(t, 5, b.Count(`select value from counters`))
	require.Equal(t, []string{"refused", "changed", "refused", "no_effect", "changed"}, results(b.Do(commands...)), "as if nobody had tried")
}

// What comes behind very many events is left to another transaction, and is not tried.
func TestTry_leavesOutWhatIsTooMuch(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "a", "first", 1))
	flood := storetest.Command(0, "Flood", `{"key":"a","n":50}`)
	answers, err := b.Try(t.Context(), []worker.Command{add(0, "a", 1), flood, add(0, "a", 1)}, 2)
	require.NoError(t, err)
	require.Equal(t, []string{
		`1 events`, `2 Added {"key":"a","value":2}`,
		`50 events`, `3 Added {"key":"a","value":3}`, `4 Added {"key":"a","value":4}`,
	}, triedAs(answers))
	require.Equal(t, map[string]int64{"Added": 50}, answers[1].ByType)
}

func TestTry_saysBehindWhichKeyACommandWaits(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "a", "first", 5), fail(add(0, "a", 1)))
	answers, err := b.Try(t.Context(), []worker.Command{addTo(0, "first", 1), add(0, "a", 1), create(0, "a", "second", 1), addTo(0, "second", 1), create(0, "b", "third", 1)}, 2)
	require.NoError(t, err)
	require.Equal(t, []string{
		"waits behind a", "waits behind a", "waits behind a", "waits behind a", "1 events", `1 Made {"key":"b","value":1}`,
	}, triedAs(answers))
	require.Equal(t, "commands.0.1", answers[0].Waits.Letter.String())
}
