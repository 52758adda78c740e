package verify

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
	"allocation/deploy/testbed/storetest"
	"allocation/domain/strictjson"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// value is what a counter's events tell, and its row says.
type value int64

func (v value) String() string { return fmt.Sprintf("value %d", int64(v)) }

type counterRow struct {
	Key   string
	Value value
}

// aggregate verifies counters: the least that a service needs.
var aggregate = Aggregate{
	Table:         "counters",
	Versions:      `select key, version from counters where key > $1 order by key limit $2`,
	TheseVersions: `select key, version from counters where key = any($1)`,
	Fold: func(p *Pass) func(*Event) {
		values := NewParts(p, Table[string, value, counterRow]{
			Name: "counters", Part: "counter", Row: func(key string) string { return key },
			Read: func(r *counterRow) (string, string, value) { return r.Key, r.Key, r.Value },
			Rows: `select key, value from counters where key > $1 order by key limit $2`, After: func(after *counterRow) []any { return []any{after.Key} },
			These: `select key, value from counters where key = any($1)`, Parts: func(keys []string) []any { return []any{keys} },
		})
		return func(e *Event) {
			var told int64
			if err := strictjson.Parse(e.Data, func(field []byte, v strictjson.Value) (err error) {
				if string(field) == "value" {
					told, err = v.Int64()
				}
				return err
			}); err != nil {
				p.Contradicts(e, "a value", string(e.Data))
			}
			if known := values.Get(e.Key); known != nil {
				*known = value(told)
			} else if values.Holds(e.Key, e.Key) {
				values.Put(e.Key, e.Key, value(told))
			}
		}
	},
}

// setup is a database of two counters, by two partitions, and a dead letter.
func setup(t *testing.T) *storetest.Bench {
	t.Helper()
	b := storetest.New(t, counters.Service, 2, counters.Tables)
	make := func(partition int, key string) {
		b.Do(storetest.Typed(storetest.Command(partition, "Make", `{"key":%q,"name":%q,"n":5}`, key, "name of "+key)))
	}
	make(0, "A")
	make(1, "B")
	for partition := range 2 {
		b.Do(storetest.Typed(storetest.Command(partition, "Add", `{"key":"A","n":2}`)), storetest.Typed(storetest.Command(partition, "Frobnicate", `{}`)))
	}
	return b
}

func run(t *testing.T, b *storetest.Bench, o Options) (found []string, summary Summary) {
	t.Helper()
	o.Report = func(d Difference) error {
		found = append(found, fmt.Sprintf("%s %s %s: %s", d.Check, d.Key, d.Table, d.Row))
		return nil
	}
	summary, err := Run(t.Context(), b.Store, o, aggregate)
	require.NoError(t, err)
	return found, summary
}

func TestRun_findsNothingInAGoodDatabase(t *testing.T) {
	found, summary := run(t, setup(t), Options{})
	require.Empty(t, found)
	require.Equal(t, Summary{OutboxRows: 6, DeadLetters: 2, Folded: 2, Passes: 1}, summary)
}

func TestRun_findsWhatEventsContradict(t *testing.T) {
	b := setup(t)
	b.Exec(`update counters set value = 8 where key = 'A'; delete from counters where key = 'B'`)
	found, summary := run(t, b, Options{Memory: 1000})
	require.ElementsMatch(t, []string{"events A counters: A", "events B counters: B", "events B counters: B"}, found)
	require.Greater(t, summary.Passes, int64(1))
	found, _ = run(t, b, Options{Key: "A"})
	require.Equal(t, []string{"events A counters: A"}, found)
}

// A fold that has no room to go on says so, instead of beginning again for ever.
func TestRun_saysThatMemoryIsTooSmall(t *testing.T) {
	_, err := Run(t.Context(), setup(t).Store, Options{Memory: 700}, aggregate)
	require.EqualError(t, err, "fold events: a fold of 700 bytes is too small for the names of one key")
}

// Where the ids that came out of order have no room at once, they are compared in turns.
func TestRun_comparesIDsInTurns(t *testing.T) {
	b := setup(t)
	b.Exec(`update outbox set command_source = 1, command_offset = 1000 + row_no, event_no = 7 where type <> ''`)
	for _, memory := range []int64{DefaultMemory, 1} {
		var rows []string
		v := &Verifier{db: b.Store, o: Options{Memory: memory, Progress: func(string, int64) {}, Report: func(d Difference) error {
			rows = append(rows, d.Row)
			return nil
		}}}
		require.NoError(t, v.checkIDs(t.Context()))
		require.ElementsMatch(t, []string{"source 1, row 0", "source 1, row 1"}, rows)
	}
}

func TestAdjust_keepsSnapshotsShort(t *testing.T) {
	t.Parallel()
	require.Equal(t, 50, adjust(100, time.Second))
	require.Equal(t, 1, adjust(1, time.Second))
	require.Equal(t, 200, adjust(100, time.Millisecond))
	require.Equal(t, maxRows, adjust(maxRows, time.Millisecond))
	require.Equal(t, 100, adjust(100, 20*time.Millisecond))
}
