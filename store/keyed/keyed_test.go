package keyed_test

import (
	"embed"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/storetest"
	"allocation/migrations"
	"allocation/store"
	"allocation/store/keyed"
	"allocation/worker"
)

func TestMain(m *testing.M) { testbed.Main(m) }

//go:embed sums/*.sql
var files embed.FS

var line = migrations.Line{
	Name: "sums", Files: files,
	Worker:   map[string]string{"sums": "select insert update", "watches": "select insert update"},
	Operator: map[string]string{"sums": "select", "watches": "select"},
}

// sum is what has been added to a key, each number twice as an event of its own.
type sum struct{ Total int64 }

type add struct {
	Key string
	N   int64
}

var rules = keyed.Rules[sum, add]{
	Table: "sums", Entity: "sum",
	Read: func(name string, data []byte) (c add, refusal *worker.Refusal) {
		if name == "Panic" {
			panic("odd")
		}
		if err := json.Unmarshal(data, &c); err != nil || name != "Add" {
			return c, &worker.Refusal{Reason: "malformed", Message: fmt.Sprint(err)}
		}
		return c, nil
	},
	Key: func(c add) string { return c.Key },
	Decide: func(c add, s *sum) (events []keyed.Event, refusal *worker.Refusal) {
		switch {
		case s.Total+2*c.N < 0:
			return nil, &worker.Refusal{Reason: "below_zero", Message: "it would be below zero"}
		case c.N == 0:
			return nil, nil
		}
		for range 2 {
			s.Total += c.N
			events = append(events, keyed.Event{Type: "Added", Data: *s})
		}
		return events, nil
	},
}

func setup(t *testing.T, partitions int) *storetest.Bench {
	t.Helper()
	return storetest.New(t, rules.Service("sums", "sums.v1.", &line), partitions)
}

// A service's tables are a line of migrations of its own, beside the engine's. Its roles have the
// rights that the line declares.
func TestKeyed_standsOnTheEnginesTables(t *testing.T) {
	b := setup(t, 0)
	worker := b.AsWorker()
	require.NoError(t, worker.CheckSchema(t.Context()))
	require.NoError(t, worker.CheckRights(t.Context()))
	version, err := worker.Version(t.Context())
	require.NoError(t, err)
	require.Regexp(t, `^engine \d+ and sums 1$`, migrations.LinesOf(&line).Say(version))
	b.Exec("revoke update on sums from allocation_worker")
	require.ErrorContains(t, worker.CheckRights(t.Context()), "grant update on allocation.sums to allocation_worker")
	_, _, err = rules.State(t.Context(), b.As("allocation_operator"), "none")
	require.ErrorIs(t, err, store.ErrUnknown, "and nothing is denied")
}

func adds(partition int, key string, n int64) worker.Command {
	return storetest.Typed(storetest.Command(partition, "Add", `{"key":%q,"n":%d}`, key, n))
}

func TestKeyed_decidesOnWhatItWrote(t *testing.T) {
	b := setup(t, 1)
	applied := b.Do(adds(0, "a", 2), adds(0, "a", -3), adds(0, "b", 1), adds(0, "a", 0), adds(0, "a", -1), storetest.Command(0, "Other", `{}`))
	require.Equal(t, []string{"changed", "refused", "changed", "no_effect", "changed", "refused"}, storetest.Results(applied))
	require.Equal(t, []string{
		`1 Added {"Total":2}`, `2 Added {"Total":4}`, "refused below_zero", `1 Added {"Total":1}`, `2 Added {"Total":2}`,
		`3 Added {"Total":3}`, `4 Added {"Total":2}`, "refused malformed",
	}, storetest.Says(applied.Rows[0]))
	require.Equal(t, []string{`5 Added {"Total":3}`, `6 Added {"Total":4}`}, storetest.Says(b.Do(adds(0, "a", 1)).Rows[0]))

	state, version, err := rules.State(t.Context(), b.Store, "a")
	require.NoError(t, err)
	require.Equal(t, sum{4}, *state)
	require.EqualValues(t, 6, version)
	_, _, err = rules.State(t.Context(), b.Store, "none")
	require.ErrorIs(t, err, store.ErrUnknown)
}

// What another transaction changed meanwhile is noticed, also where the key was only read, or was
// not there.
func TestKeyed_conflictsWithWhatOthersWroteMeanwhile(t *testing.T) {
	b := setup(t, 2)
	for _, key := range []string{"new", "there"} {
		for _, n := range []int64{1, -1000} { // one changes it, one is refused
			own := b.Transaction(adds(0, key, n))
			raced := false
			service := rules
			service.Decide = func(c add, s *sum) ([]keyed.Event, *worker.Refusal) {
				events, refusal := rules.Decide(c, s)
				if !raced {
					raced = true
					other := storetest.OnlyPartition(b.Transaction(adds(1, key, 1)), 1)
					_, err := b.Apply(t.Context(), other)
					require.NoError(t, err)
					b.Offsets[1]++
					b.NextRow[1] += 2
				}
				return events, refusal
			}
			slow := *b
			slow.Service = service.Service("sums", "sums.v1.", &line)
			_, err := slow.Open("slow").Apply(t.Context(), storetest.OnlyPartition(own, 0))
			require.ErrorIs(t, err, worker.ErrConflict, "%s %d", key, n)
		}
	}
}

// A command that failed holds its key, and others of the key wait behind it. One that cannot be
// read holds nothing.
func TestKeyed_holdsTheKeyOfWhatFailed(t *testing.T) {
	b := setup(t, 1)
	failed := b.Do(storetest.Fail(adds(0, "a", 1)), storetest.Fail(storetest.Command(0, "Panic", `{}`)))
	require.Equal(t, []string{"refused internal", "refused internal"}, storetest.Says(failed.Rows[0]))
	require.Equal(t, []string{"held", "changed"}, storetest.Results(b.Do(adds(0, "a", 1), adds(0, "b", 1))))
	b.DecideLetter(0, failed.Rows[0][0].Number, "retrying")
	b.DoRedrive(0, 10)
	b.DoRedrive(0, 10) // what waited
	require.Equal(t, 4, b.Count(`select version from sums where key = 'a'`))
}

// A transaction that was beaten to it again and again locks its rows first.
func TestKeyed_locksFirst(t *testing.T) {
	b := setup(t, 1)
	b.Do(adds(0, "a", 1))
	transaction := b.Transaction(adds(0, "a", 1))
	transaction.LockFirst = true
	applied, err := b.AsWorker().Apply(t.Context(), transaction)
	require.NoError(t, err)
	require.Equal(t, []string{"changed"}, storetest.Results(applied))
}
