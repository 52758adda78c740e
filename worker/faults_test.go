package worker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// faulty is a store that fails where a test wants it to.
type faulty struct {
	worker.Store
	apply func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error)
}

func (f faulty) Apply(ctx context.Context, transaction worker.Transaction) (worker.Applied, error) {
	return f.apply(ctx, f.Store, transaction)
}

func (p *pipeline) startFaulty(apply func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error)) *member {
	return p.startWith(func(s worker.Store) worker.Store { return faulty{Store: s, apply: apply} })
}

func TestWorker_goesOnAfterErrors(t *testing.T) {
	type fault struct {
		err     error
		commits bool // before the error
	}
	p := setup(t, 1)
	var now atomic.Pointer[fault]
	var times atomic.Int32
	p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
		f := now.Load()
		if f == nil || len(transaction.Commands) == 0 || times.Add(1) > 2 {
			return real.Apply(ctx, transaction)
		}
		if f.commits {
			if _, err := real.Apply(ctx, transaction); err != nil {
				return worker.Applied{}, err
			}
		}
		return worker.Applied{}, f.err
	})
	p.createEach(1)
	p.awaitAllCommitted()
	faults := map[string]fault{
		"a conflict":                                {worker.ErrConflict, false},
		"an outage":                                 {worker.ErrOutage, false},
		"an unknown outcome that was no commit":     {worker.ErrUnknownOutcome, false},
		"an unknown outcome that was a commit":      {worker.ErrUnknownOutcome, true},
		"a fence that nobody else's claim explains": {&worker.FencedError{}, false},
		"a fault of unknown kind that goes away":    {errors.New("odd"), false},
	}
	const adds = 5
	for name, f := range faults {
		t.Log(name)
		times.Store(0)
		now.Store(&f)
		p.addToEach(1, adds)
		p.awaitAllCommitted()
		require.Positive(t, times.Load(), name)
	}
	p.checkAdded(adds * len(faults))
}

// Where others commit first again and again, an applier takes fewer commands, until they are few
// enough that their keys are locked first. The others have to wait for these.
func TestWorker_locksFirstWhereOthersAreAlwaysFirst(t *testing.T) {
	p := setup(t, 1)
	p.createEach(1)
	p.addToEach(1, 300)
	var tried atomic.Bool
	p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
		if len(transaction.Commands) > 0 && !transaction.LockFirst {
			tried.Store(true)
			return worker.Applied{}, worker.ErrConflict
		}
		return real.Apply(ctx, transaction)
	})
	p.awaitAllCommitted()
	p.checkAdded(300)
	require.True(t, tried.Load(), "it is the last resort")
}

func TestWorker_aFencedOwnerClaimsAgain(t *testing.T) {
	p := setup(t, 1)
	var claimer worker.Store
	var steal sync.Once
	m := p.startWith(func(s worker.Store) worker.Store {
		claimer = s
		return faulty{Store: s, apply: func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
			steal.Do(func() { // a stalled worker claims late, and never comes back
				source := transaction.Moves[0].Source
				_, err := claimer.Claim(ctx, []worker.ClaimRequest{{Topic: source.Topic, TopicID: source.TopicID, Partition: source.Partition}})
				require.NoError(t, err)
			})
			return real.Apply(ctx, transaction)
		}}
	})
	p.createEach(1)
	p.addToEach(1, 5)
	p.awaitAllCommitted()
	p.checkAdded(5)
	require.Empty(t, m.NotReady(t.Context()))
}

func TestWorker_sharesPartitionsAndHandsThemOver(t *testing.T) {
	p := setup(t, 4)
	p.session = time.Minute // who is late on a busy machine is in the group all the same
	first := p.start()
	p.createEach(4)
	p.await(4)
	second := p.start()
	p.addToEach(4, 10)
	p.await(44)
	require.NoError(t, first.stop())
	p.addToEach(4, 10)
	p.await(84)
	p.awaitCommitted(map[int32]int64{0: 21, 1: 21, 2: 21, 3: 21})
	require.NoError(t, second.stop())
	require.Len(t, p.got, 84, "graceful handovers repeat nothing")
}

// createEach makes each partition's own counter, with nothing in it.
func (p *pipeline) createEach(partitions int32) {
	p.t.Helper()
	for i := range partitions {
		p.send(i, create(keyOf(i), fmt.Sprint("b", i), 0))
	}
}

// addToEach adds to each partition's own counter so many times, by turns.
func (p *pipeline) addToEach(partitions int32, times int) {
	p.t.Helper()
	for n := range times {
		for i := range partitions {
			p.send(i, add(keyOf(i), fmt.Sprintf("o%d-%d", i, n)))
		}
	}
}
