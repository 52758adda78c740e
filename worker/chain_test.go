package worker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// Rows of two workers wait for each other in a long chain where a key's commands came by two
// partitions in turn, and nothing is published yet. Each link costs a message between the workers,
// so it must not also cost a wait.
func TestPromise6_aLongChainOfRowsThatWaitForEachOtherIsDrained(t *testing.T) {
	const commands = 100
	p := setup(t, 2)
	p.start()
	p.start()
	testbed.Eventually(p.t, func() bool { return p.number(`select count(distinct owner) from positions`) == 2 })
	p.send(0, create("a", "first", 1))
	p.await(1)
	for i := 1; i < commands; i++ {
		p.send(int32(i%2), add("a", fmt.Sprint("o", i)))
		testbed.Eventually(p.t, func() bool { return p.number(`select version from counters`) == 1+i })
	}
	p.awaitCommitted(map[int32]int64{0: commands / 2, 1: commands / 2})
	p.execute(`update positions set published_row = 0, token = gen_random_uuid()`) // both are fenced, claim again, and begin from the table
	links := p.number(`select count(*) from outbox where after_source is not null`)
	began := time.Now()
	p.execute(`select pg_notify('allocation_nudge', string_agg(source::text, ',')) from positions`)
	testbed.Eventually(p.t, func() bool { return p.number(`select count(*) from positions where published_row < next_row`) == 0 })
	t.Logf("%d links in %s", links, time.Since(began))
	require.Less(t, time.Since(began), time.Duration(links)*400*time.Millisecond, "who waits looks by itself each half second")
}
