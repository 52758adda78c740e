package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
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

// sendAdds makes a counter and adds to it n times.
func (p *pipeline) sendAdds(n int) {
	p.t.Helper()
	p.send(0, create("a", "first", 1))
	for i := range n {
		p.send(0, add("a", fmt.Sprint("o", i)))
	}
}

// requireOnce checks that the events are those of sendAdds, each once and in order, and no dead
// letter.
func (p *pipeline) requireOnce(n int) {
	p.t.Helper()
	seen := map[string]bool{}
	for _, r := range p.await(n + 1) {
		require.Equal(p.t, p.events, r.Topic, "dead letter: %s", header(r, "dlq-message"))
		if seen[header(r, "ce_id")] {
			continue // at least once
		}
		seen[header(r, "ce_id")] = true
		require.Equal(p.t, fmt.Sprintf("%019d", len(seen)), header(r, "ce_sequence"))
		require.JSONEq(p.t, fmt.Sprintf(`{"key":"a","value":%d}`, len(seen)), string(r.Value))
	}
	p.awaitCommitted(map[int32]int64{0: int64(n + 1)})
}

func TestWorker_goesOnAfterErrors(t *testing.T) {
	var fenced error = &worker.FencedError{}
	for name, c := range map[string]struct {
		err    error
		commit bool // before the error
	}{
		"a conflict":                                {worker.ErrConflict, false},
		"an outage":                                 {worker.ErrOutage, false},
		"an unknown outcome that was no commit":     {worker.ErrUnknownOutcome, false},
		"an unknown outcome that was a commit":      {worker.ErrUnknownOutcome, true},
		"a fence that nobody else's claim explains": {fenced, false},
		"a fault of unknown kind that goes away":    {errors.New("odd"), false},
	} {
		t.Run(name, func(t *testing.T) {
			p := setup(t, 1)
			var failures atomic.Int32
			p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
				if len(transaction.Commands) == 0 || failures.Add(1) > 2 {
					return real.Apply(ctx, transaction)
				}
				if c.commit {
					if _, err := real.Apply(ctx, transaction); err != nil {
						return worker.Applied{}, err
					}
				}
				return worker.Applied{}, c.err
			})
			p.sendAdds(12)
			p.requireOnce(12)
		})
	}
}

// A fault may take long: a timeout of Postgres takes 30 s. Whatever waits beside the command at
// fault waits for few of them.
func TestWorker_findsTheCommandAtFaultWithFewFaults(t *testing.T) {
	const adds = 1000
	p := setup(t, 1)
	sent := []*kgo.Record{create("b", "other", 1), create("a", "first", 1)}
	for i := range adds {
		key := "a"
		if i == 700 {
			key = "b"
		}
		sent = append(sent, add(key, fmt.Sprint("o", i)))
	}
	p.send(0, sent...)
	var together, alone atomic.Int32
	p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
		for _, c := range transaction.Commands {
			if c.Failure == "" && bytes.Contains(c.Data, []byte(`"o700"`)) {
				if len(transaction.Commands) > 1 {
					together.Add(1)
				} else {
					alone.Add(1)
				}
				return worker.Applied{}, errors.New("odd")
			}
		}
		return real.Apply(ctx, transaction)
	})
	p.await(1 + 1 + adds - 1 + 1) // two counters, the other additions, and a dead letter
	require.LessOrEqual(t, together.Load(), int32(4), "a thousand commands may come in two fetches")
	require.Positive(t, alone.Load())
}

// The same among the commands that waited behind a held key.
func TestWorker_findsTheKeptCommandAtFaultWithFewFaults(t *testing.T) {
	const adds = 400
	p := setup(t, 1)
	var together, alone atomic.Int32
	p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
		for _, c := range transaction.Commands {
			switch {
			case c.Failure != "":
			case bytes.Contains(c.Data, []byte(`"poison"`)):
				return worker.Applied{}, errors.New("odd")
			case c.Parked != nil && bytes.Contains(c.Data, []byte(`"o300"`)):
				if len(transaction.Commands) > 1 {
					together.Add(1)
				} else {
					alone.Add(1)
				}
				return worker.Applied{}, errors.New("odd")
			}
		}
		return real.Apply(ctx, transaction)
	})
	sent := []*kgo.Record{create("a", "first", 1), add("a", "poison")}
	for i := range adds {
		sent = append(sent, add("a", fmt.Sprint("o", i)))
	}
	p.send(0, sent...)
	testbed.Eventually(p.t, func() bool { return p.number(`select count(*) from held_commands`) == adds })
	p.decideLetters("discarding")
	p.await(1 + 1 + 1 + 300 + 1) // a counter, a dead letter, a decision, the additions before the one, and its dead letter
	require.LessOrEqual(t, together.Load(), int32(3))
	require.Positive(t, alone.Load())
}

// Where others commit first again and again, as they do with smaller transactions on the same keys,
// an applier takes fewer commands until it is first itself.
func TestWorker_takesFewerCommandsWhereOthersAreFirst(t *testing.T) {
	p := setup(t, 1)
	p.sendAdds(40)
	p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
		if len(transaction.Commands) > 3 {
			return worker.Applied{}, worker.ErrConflict
		}
		return real.Apply(ctx, transaction)
	})
	p.requireOnce(40)
}

// Where even one command alone takes so long that others are always first, they have to wait for
// it.
func TestWorker_locksFirstWhereOthersAreAlwaysFirst(t *testing.T) {
	p := setup(t, 1)
	p.sendAdds(5)
	var tried atomic.Bool
	p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
		if len(transaction.Commands) > 0 && !transaction.LockFirst {
			tried.Store(true)
			return worker.Applied{}, worker.ErrConflict
		}
		return real.Apply(ctx, transaction)
	})
	p.requireOnce(5)
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
	p.sendAdds(5)
	p.requireOnce(5)
	require.Empty(t, m.NotReady(t.Context()))
}

func TestWorker_sharesPartitionsAndHandsThemOver(t *testing.T) {
	p := setup(t, 4)
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
