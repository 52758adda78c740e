package worker_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/worker"
)

// blinded is a store that cannot read positions while it is blind.
type blinded struct {
	worker.Store
	blind *atomic.Bool
}

func (b blinded) PositionRecords(ctx context.Context) ([]worker.PositionRecord, error) {
	if b.blind.Load() {
		return nil, errors.New("no positions are read")
	}
	return b.Store.PositionRecords(ctx)
}

// The loops that look after things now and then say when they stand still, whether they fail each
// time or hang, and what they measure is not shown then: here are those that ask the group, that
// look for parked commands, and that report what is published.
func TestWorker_namesItsPartsThatStandStill(t *testing.T) {
	testbed.Long(t)
	p := setup(t, 1)
	p.patience = 25 * time.Second // the slowest looks every 10 s
	var blind atomic.Bool
	m := p.startWith(func(s worker.Store) worker.Store { return blinded{s, &blind} })
	p.sendNames(0, 0, 1)
	p.awaitCommitted(map[int32]int64{0: 1})
	standing := func() string { return strings.Join(m.parts.Standing(time.Now()), "\n") }
	require.Empty(t, standing())
	require.Zero(t, m.gauge("held_keys"))
	require.Zero(t, m.gauge("foreign_members"))

	blind.Store(true)
	p.execute(`alter function save_published rename to gone`)
	p.sendNames(0, 1, 1)
	p.await(2)
	someone := p.outsider()
	someone.locks(`lock table dead_letters in access exclusive mode`)
	for _, part := range []string{"group and claims", "parked commands", "reports"} {
		testbed.Eventually(p.t, func() bool { return strings.Contains(standing(), part+": stands still for ") })
		require.Positive(t, m.values("part_stands_seconds")[part])
	}
	require.Contains(t, standing(), "save_published", "it says why")
	require.Equal(t, -1.0, m.gauge("held_keys"), "an old figure would look like one of today's")
	require.Equal(t, -1.0, m.gauge("foreign_members"))
	require.Empty(t, m.NotReady(t.Context()), "its partition moves")

	someone.releases()
	blind.Store(false)
	p.execute(`alter function gone rename to save_published`)
	testbed.Eventually(p.t, func() bool { return standing() == "" })
	require.Zero(t, m.gauge("held_keys"))
	require.Zero(t, m.gauge("foreign_members"))
	require.NoError(t, m.stop())
}

// unheard is a store behind a pooler that lets nobody listen.
type unheard struct{ worker.Store }

func (unheard) Listen(context.Context, func([]int32), func(), func()) error {
	return errors.New("no LISTEN here")
}

// Where nobody hears what others say by way of Postgres, that is in the log, and all goes on.
func TestWorker_saysThatItDoesNotListen(t *testing.T) {
	p := setup(t, 1)
	m := p.startWith(func(s worker.Store) worker.Store { return unheard{s} })
	p.sendNames(0, 0, 1)
	p.awaitCommitted(map[int32]int64{0: 1})
	testbed.Eventually(p.t, func() bool {
		return strings.Contains(p.log.String(), "nothing is heard from others by way of Postgres")
	})
	require.Positive(t, m.values("retries_total")["listen postgres"])
	require.NoError(t, m.stop())
}
