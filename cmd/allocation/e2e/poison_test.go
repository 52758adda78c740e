package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// poison sends an order that the faulty program cannot apply.
func (l *load) poison(does string) {
	l.arena.t.Helper()
	l.produce(&kgo.Record{
		Topic: l.arena.commands[0], Key: []byte("SKU-0"), Headers: typed("Allocate"),
		Value: fmt.Appendf(nil, `{"orderid":"poison-%s","sku":"SKU-0","qty":1}`, does),
	})
}

// count counts rows.
func (a *arena) count(sql string, args ...any) (n int) {
	a.t.Helper()
	require.NoError(a.t, a.db.QueryRow(a.t.Context(), `select count(*) from `+sql, args...).Scan(&n))
	return n
}

// A command that ends the process of every worker that applies it must not stop its partition
// everywhere.
func TestPromise4_aCommandThatEndsItsWorkerIsHeldAfterAFewAttempts(t *testing.T) {
	const maxDeaths = 6
	t.Parallel()
	a := setup(t, partitions)
	l := a.load(random(t), partitions, products)
	l.send(200)
	l.poison("exit")
	l.send(300)
	deaths := 0
	for applied := false; !applied; {
		p := a.start(fmt.Sprintf("poisoned-%d", deaths), "", "ALLOCATION_POISON=on")
		await(t, 60*time.Second, func() bool {
			applied = a.done()
			return applied || !p.Running()
		}, "everything is applied, or %s dies", p.name)
		if !p.Running() {
			deaths++
			require.LessOrEqual(t, deaths, maxDeaths)
			continue
		}
		p.stop()
	}
	t.Logf("%d processes ended before the command was held", deaths)
	require.Equal(t, 1, a.count(`dead_letters where reason = 'internal' and message like '%process ended%' and convert_from(value, 'utf8') like '%poison-exit%'`))
	require.Equal(t, 1, a.count(`held_keys where key = 'SKU-0'`))
	require.Positive(t, a.count(`held_commands where key = 'SKU-0'`))

	last := a.start("cured", "")
	_, err := a.db.Exec(t.Context(), `update dead_letters set state = 'retrying' where reason = 'internal'`)
	require.NoError(t, err)
	_, err = a.db.Exec(t.Context(), `notify allocation_decided`)
	require.NoError(t, err)
	await(t, 30*time.Second, func() bool { return a.count(`held_keys`) == 0 }, "the product is free")
	a.check(30 * time.Second)
	last.stop()
}
