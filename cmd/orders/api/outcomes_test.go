package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/store"
)

// table is what workers have decided, and what was asked of it.
type table struct {
	mu      sync.Mutex
	decided map[string]bool
	asked   [][]string
	broken  bool
}

func (t *table) read(_ context.Context, ids []string) (found []store.Request, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, slices.Sorted(slices.Values(ids)))
	if t.broken {
		return nil, errors.New("broken")
	}
	for _, id := range ids {
		if t.decided[id] {
			found = append(found, store.Request{ID: id})
		}
	}
	return found, nil
}

// queries are those that were made, each as the ids that it asked for.
func (t *table) queries() [][]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.asked)
}

func (t *table) decide(ids ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		t.decided[id] = true
	}
}

func start(t *testing.T) (*outcomes, *table) {
	t.Helper()
	asked := &table{decided: map[string]bool{}}
	o := newOutcomes(t.Context(), asked.read)
	go o.run(t.Context())
	return o, asked
}

// One query asks for all that somebody waits for, and none is made while nobody does.
func TestOutcomes_asksForAllAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, asked := start(t)
		time.Sleep(time.Minute) //nolint:forbidigo // of the test's own clock
		require.Empty(t, asked.queries())
		var all sync.WaitGroup
		for _, id := range []string{"a", "b", "b", "c"} {
			all.Go(func() {
				r, known := o.await(t.Context(), id, time.Second)
				require.Equal(t, id != "c", known, id)
				require.Equal(t, known, r.ID == id)
			})
		}
		synctest.Wait()
		time.Sleep(time.Second / 2) //nolint:forbidigo // as above
		require.Equal(t, []string{"a", "b", "c"}, asked.queries()[len(asked.queries())-1])
		asked.decide("a", "b")
		all.Wait()
		require.Less(t, len(asked.queries()), 110)
		require.Empty(t, o.waiting)
		before := len(asked.queries())
		time.Sleep(time.Minute) //nolint:forbidigo // as above
		require.LessOrEqual(t, len(asked.queries()), before+1)
	})
}

// So many wait at once. Others are told at once that nothing is known, and so are all while the
// database does not answer.
func TestOutcomes_bounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, asked := start(t)
		asked.broken = true
		var all sync.WaitGroup
		for i := range maxWaiting {
			all.Go(func() {
				_, known := o.await(t.Context(), fmt.Sprint(i), 10*time.Second)
				require.False(t, known)
			})
		}
		synctest.Wait()
		began := time.Now()
		_, known := o.await(t.Context(), "more", time.Second)
		require.False(t, known)
		require.Zero(t, time.Since(began))
		all.Wait()
		require.Less(t, len(asked.queries()), 25)
		require.Zero(t, o.count)
	})
}

// An id means what it was made of, and nothing else.
func TestRequestID_isOfCustomerAndKey(t *testing.T) {
	t.Parallel()
	require.Equal(t, requestID("alice", "k"), requestID("alice", "k"))
	require.NotEqual(t, requestID("alice", "k"), requestID("alic", "ek"))
	require.NotEqual(t, requestID("alice", "k"), requestID("bob", "k"))
	require.Regexp(t, requestIDs, requestID("alice", "k"))
}

func TestWait_readsPrefer(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"": 0, "wait=2": 2 * time.Second, "respond-async, wait=2": 2 * time.Second, "WAIT = 3": 3 * time.Second, `wait="4"`: 4 * time.Second, "wait=2; foo": 2 * time.Second,
		"wait=99": 10 * time.Second, "wait=99999999999": 0, "wait=-1": 0, "wait=x": 0, "waiting=2": 0, "wait=1, wait=2": time.Second,
	} {
		require.Equal(t, want, wait(map[string][]string{"Prefer": {value}}), value)
	}
}
